"""The head of a request: what travels on, and what the door keeps for itself."""

import pytest

from gateway.door.incoming import Incoming, read


def head(*headers: tuple[str, str], query: str = "") -> Incoming:
    return read(
        {
            "type": "http", "method": "GET", "path": "/v1/a", "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers],
        }
    )  # fmt: skip


def test_hop_by_hop_headers_and_those_named_by_connection_stay_behind() -> None:
    kept = head(
        ("connection", "keep-alive, X-Private"), ("keep-alive", "timeout=5"), ("te", "trailers"),
        ("x-private", "1"), ("upgrade", "h2c"), ("transfer-encoding", "chunked"), ("accept", "*/*"),
    ).headers  # fmt: skip

    assert set(kept) == {"accept", "traceparent"}


def test_nobody_may_claim_where_a_request_came_from() -> None:
    kept = head(("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=x"), ("x-real-ip", "1")).headers

    assert set(kept) == {"traceparent"}


def test_the_first_of_two_authorizations_counts_and_none_travels_by_itself() -> None:
    read = head(("authorization", "Bearer a"), ("authorization", "Bearer b"))

    assert read.authorization == "Bearer a"
    assert "authorization" not in read.headers


def test_a5_a_valid_trace_is_continued() -> None:
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    assert head(("traceparent", sent)).headers["traceparent"][3:35] == sent[3:35]


@pytest.mark.parametrize(
    "bad", ["", "x", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{'a' * 32}-{'b' * 16}-01"]
)
def test_a5_an_invalid_trace_is_restarted(bad: str) -> None:
    restarted = head(("traceparent", bad)).headers.getall("traceparent")

    assert len(restarted) == 1
    assert restarted[0] != bad
    assert len(restarted[0]) == 55


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", 0), ("wait=20", 20), ("after=1.2&wait=5&limit=1", 5), ("await=9", 0), ("wait=x", 0)],
)
def test_a_feed_says_how_long_it_may_wait(query: str, seconds: int) -> None:
    assert head(query=query).wait_seconds == seconds


def test_a_body_is_expected_only_where_one_is_announced() -> None:
    assert not head(("content-length", "0")).has_body
    assert head(("content-length", "1")).has_body
    assert head(("transfer-encoding", "chunked")).has_body

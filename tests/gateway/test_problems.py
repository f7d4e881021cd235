"""A1: whatever the gateway itself refuses is a problem document."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.conftest import Suite

pytestmark = pytest.mark.anyio

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "trace_id", "errors"}
REFUSED = [
    ("GET", "/nowhere", 404), ("GET", "/v1/nowhere", 404), ("GET", "/v1/", 404),
    ("DELETE", "/v1/things/1", 405), ("PATCH", "/v1/me", 405), ("DELETE", "/docs", 405),
    ("GET", "/oauth/token", 405), ("GET", "/v1/things/a.b", 400), ("GET", "/v1/me?x=1", 400),
    ("GET", "/v1/clients?limit=0", 422), ("GET", "/v1/clients?after=!", 400),
    ("GET", "/v1/clients/ghost", 404), ("PUT", "/v1/staff/s1", 422), ("POST", "/v1/clients", 422),
    ("PUT", "/v1/clock", 422), ("GET", "/v1/dead", 503), ("GET", "/v1/late", 503),
    ("OPTIONS", "/v1/me", 405), ("HEAD", "/v1/things/1", 405),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status"), REFUSED)
async def test_a1_each_refusal_is_a_problem_document(
    suite: Suite, method: str, path: str, status: int
) -> None:
    headers = await suite.bearer("operator")
    answer = await suite.http.request(method, path, headers=headers)

    assert answer.status_code == status
    if method == "HEAD":
        return
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() >= MEMBERS
    assert problem["status"] == status
    assert problem["instance"] == path.split("?", maxsplit=1)[0]
    assert len(problem["trace_id"]) == 32
    assert problem["code"].isidentifier()
    assert ("allow" in answer.headers) == (status == 405)


async def test_a1_malformed_json_is_named(suite: Suite) -> None:
    answer = await suite.http.post(
        "/v1/clients", content=b"{", headers=await suite.bearer("operator")
    )

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a1_a_large_body_for_the_gateway_itself_is_refused(suite: Suite) -> None:
    answer = await suite.http.post(
        "/v1/clients", content=b"x" * 300_000, headers=await suite.bearer("operator")
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH"]),
    segments=st.lists(st.text(max_size=8), max_size=5),
    header=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
)
async def test_a1_no_request_makes_the_gateway_fail(
    suite: Suite, method: str, segments: list[str], header: str
) -> None:
    headers = await suite.bearer("operator") | {"traceparent": header, "Bihuan-Odd": header}
    path = "/v1/" + "/".join(segments)
    answer = await suite.http.request(
        method, httpx_url(suite, path), headers=headers, content=b"\x00\xff"
    )

    assert answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def httpx_url(suite: Suite, path: str) -> str:
    return f"{str(suite.http.base_url).rstrip('/')}{quote(path)}"


async def test_health_and_metrics_need_no_token(suite: Suite) -> None:
    await suite.http.get("/v1/things/1", headers=await suite.bearer("operator"))

    assert (await suite.http.get("/health/live")).status_code == 200
    assert (await suite.http.get("/health/ready")).json()["status"] == "ready"
    metrics = (await suite.http.get("/metrics")).text
    assert 'route="/v1/things/{thing_id}",service="profile"' in metrics

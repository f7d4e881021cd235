"""Routes: literal segments beat parameters, and every path finds its own operation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.door.refusals import InvalidId, MethodNotAllowed, UnknownPath
from gateway.door.routes import (
    METHODS,
    ContestedRoute,
    Operation,
    Pace,
    RouteTable,
    operations_of,
)

words = st.sampled_from(["customers", "search", "view", "a", "b", "rows:import", "events"])
parameters = st.sampled_from(["{id}", "{name}"])
templates = st.lists(st.one_of(words, parameters), min_size=1, max_size=4).map(
    lambda segments: "/v1/" + "/".join(segments)
)
ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def operation(template: str, *, service: str = "profile", method: str = "GET") -> Operation:
    return Operation(service=service, method=method, template=template)


def shape(template: str) -> tuple[str, ...]:
    return tuple("{}" if part.startswith("{") else part for part in template.split("/"))


@given(st.lists(templates, min_size=1, max_size=12, unique_by=shape), st.data())
def test_every_literal_path_gets_its_own_operation(offered: list[str], data: st.DataObject) -> None:
    table = RouteTable(operation(each) for each in offered)

    for template in offered:
        path = "/".join(
            data.draw(ids) if part.startswith("{") else part for part in template.split("/")
        )
        found = table.find("GET", path)
        # what was found fits the path, and no template that fits is more literal from the left
        fits = [each for each in offered if _fits(each, path)]
        best = min(fits, key=lambda each: [part.startswith("{") for part in each.split("/")])
        assert found.template == best
        if "{" not in template:
            assert found.template == template


def _fits(template: str, path: str) -> bool:
    ours, theirs = template.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        mine.startswith("{") or mine == other for mine, other in zip(ours, theirs, strict=True)
    )


def test_a_literal_that_leads_nowhere_falls_back_to_a_parameter() -> None:
    table = RouteTable([operation("/v1/a/search/x"), operation("/v1/a/{id}/y")])

    assert table.find("GET", "/v1/a/search/y").template == "/v1/a/{id}/y"


def test_two_services_claiming_one_path_are_refused_with_both_names() -> None:
    with pytest.raises(ContestedRoute, match=r"GET /v1/a/{name} of segment .* profile"):
        RouteTable([operation("/v1/a/{id}"), operation("/v1/a/{name}", service="segment")])


def test_the_same_template_may_belong_to_two_services_by_method() -> None:
    table = RouteTable(
        [operation("/v1/a/{id}"), operation("/v1/a/{id}", service="segment", method="PUT")]
    )

    assert table.find("PUT", "/v1/a/1").service == "segment"


def test_a_segment_that_mixes_literal_and_parameter_is_refused() -> None:
    with pytest.raises(ContestedRoute, match="neither a literal nor a parameter"):
        RouteTable([operation("/v1/a/{id}:merge")])


@pytest.mark.parametrize("path", ["/v1/b", "/v1/a", "/v1/a/1/2", "/v1", "/v1/"])
def test_an_unknown_path_is_not_found(path: str) -> None:
    with pytest.raises(UnknownPath):
        RouteTable([operation("/v1/a/{id}")]).find("GET", path)


def test_a_known_path_says_which_methods_it_answers() -> None:
    table = RouteTable([operation("/v1/a"), operation("/v1/a", method="POST")])

    with pytest.raises(MethodNotAllowed) as refused:
        table.find("DELETE", "/v1/a")
    assert refused.value.allow == "GET, POST"


@pytest.mark.parametrize("bad", ["", "张三", "a b", "a.b", "a:b", "..", "x" * 65, "a\n"])
def test_an_id_is_1_to_64_letters_digits_and_dashes(bad: str) -> None:
    with pytest.raises(InvalidId):
        RouteTable([operation("/v1/a/{id}")]).find("GET", f"/v1/a/{bad}")


def test_paces_and_imports_are_read_from_the_document() -> None:
    def answer(media: str) -> dict[str, object]:
        return {"responses": {"200": {"content": {media: {}}}}, "security": [{"bihuan": []}]}

    found = operations_of(
        "profile",
        {
            "paths": {
                "/health/live": {"get": {}},
                "/v1/customers/{id}": {"get": answer("application/json"), "summary": "x"},
                "/v1/feeds/profile": {"get": answer("application/json")},
                "/v1/feeds/profile/snapshot": {"get": answer("application/json")},
                "/v1/features/export": {"get": answer("application/vnd.apache.arrow.stream")},
                "/v1/jobs/{id}/rejects": {"get": answer("application/x-ndjson")},
                "/v1/customers:import": {"post": answer("application/json")},
            }
        },
    )

    assert {each.template: each.pace for each in found} == {
        "/v1/customers/{id}": Pace.ANSWER,
        "/v1/feeds/profile": Pace.FEED,
        "/v1/feeds/profile/snapshot": Pace.STREAM,
        "/v1/features/export": Pace.STREAM,
        "/v1/jobs/{id}/rejects": Pace.STREAM,
        "/v1/customers:import": Pace.STREAM,
    }
    assert "get" in METHODS

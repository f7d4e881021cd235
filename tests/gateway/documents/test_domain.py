"""The merged document: every name keeps its meaning."""

from typing import Any

from gateway.documents.domain import merge

INFO = {"title": "all", "version": "1", "description": "d"}


def document(name: str, path: str, scope: str, **more: Any) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {
        "paths": {
            path: {
                "get": {
                    "operationId": "get_it",
                    "security": [{"bihuan": [scope]}],
                    "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
                    **more,
                }
            },
            "/health/live": {"get": {}},
        },
        "components": {
            "schemas": {name: {"type": "object", "properties": {"next": schema}}},
            "securitySchemes": {"bihuan": {"type": "oauth2"}},
        },
    }


def merged() -> dict[str, Any]:
    return merge(
        {
            "profile": document("Page", "/v1/customers", "customers:read"),
            "segment": document("Page", "/v1/segments", "segments:read"),
        },
        info=INFO,
    )


def test_two_services_may_use_one_name_for_two_things() -> None:
    schemas = merged()["components"]["schemas"]

    assert set(schemas) == {"ProfilePage", "SegmentPage"}
    assert schemas["SegmentPage"]["properties"]["next"] == {
        "$ref": "#/components/schemas/SegmentPage"
    }


def test_operations_name_their_service_and_have_distinct_ids() -> None:
    paths = merged()["paths"]

    assert [item["get"]["operationId"] for item in paths.values()] == [
        "profile_get_it",
        "segment_get_it",
    ]
    assert [item["get"]["x-service"] for item in paths.values()] == ["profile", "segment"]


def test_a_services_own_health_pages_are_no_part_of_the_api() -> None:
    assert "/health/live" not in merged()["paths"]


def test_there_is_one_security_scheme_with_all_scopes() -> None:
    (scheme,) = merged()["components"]["securitySchemes"].values()

    assert scheme["flows"]["clientCredentials"]["scopes"].keys() == {
        "customers:read",
        "segments:read",
    }


def test_examples_and_mappings_keep_their_texts() -> None:
    example = {"kind": "Page", "note": "see #/components/schemas/Page"}
    mapping = {"page": "#/components/schemas/Page"}
    whole = merge(
        {
            "profile": document(
                "Page", "/v1/a", "a:read", **{"x-example": example, "x-map": mapping}
            )
        },
        info=INFO,
    )
    operation = whole["paths"]["/v1/a"]["get"]

    assert operation["x-example"] == example
    assert operation["x-map"] == {"page": "#/components/schemas/ProfilePage"}

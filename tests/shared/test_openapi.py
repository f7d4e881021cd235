"""A12: what would break a client of the released document is named."""

from copy import deepcopy
from typing import Any

import pytest

from shared.openapi import double_claims, incompatibilities


def document() -> dict[str, Any]:
    return {
        "paths": {
            "/v1/things": {
                "post": {
                    "parameters": [{"in": "query", "name": "limit", "required": False}],
                    "requestBody": _json({"$ref": "#/components/schemas/ThingCreate"}),
                    "responses": {"201": _json({"$ref": "#/components/schemas/Thing"})},
                }
            }
        },
        "components": {
            "schemas": {
                "ThingCreate": {
                    "type": "object",
                    "title": "ThingCreate",
                    "properties": {
                        "name": {"type": "string", "title": "Name"},
                        "kind": {"type": "string", "enum": ["a", "b"], "title": "Kind"},
                    },
                    "required": ["name"],
                },
                "Thing": {
                    "type": "object",
                    "title": "Thing",
                    "properties": {
                        "id": {"type": "string", "title": "Id"},
                        "parts": {
                            "type": "array",
                            "title": "Parts",
                            "items": {"$ref": "#/components/schemas/Part"},
                        },
                    },
                },
                "Part": {
                    "type": "object",
                    "title": "Part",
                    "properties": {"size": {"type": "integer", "title": "Size"}},
                },
            }
        },
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(" ")
    place: Any = document
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value


SCHEMAS = "components schemas"
POST = "paths /v1/things post"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("paths /v1/things", None, "POST /v1/things is gone"),
        (f"{POST} parameters", [], "parameter query:limit is gone"),
        (
            f"{POST} parameters",
            [{"in": "query", "name": "limit", "required": True}],
            "parameter query:limit became required",
        ),
        (f"{POST} responses", {"200": {}}, "answer 201 is gone"),
        (f"{SCHEMAS} ThingCreate required", ["name", "kind"], "body/kind became required"),
        (f"{SCHEMAS} ThingCreate properties name", None, "body/name is gone"),
        (f"{SCHEMAS} ThingCreate properties kind enum", ["a"], "body/kind no longer takes 'b'"),
        (f"{SCHEMAS} Thing properties id", None, "answer 201/id is gone"),
        (
            f"{SCHEMAS} Part properties size type",
            "string",
            "answer 201/parts/-/size was integer, is string",
        ),
    ],
)
def test_a12_what_breaks_a_client_is_named(path: str, value: Any, expected: str) -> None:
    new = deepcopy(document())
    _set(new, path, value)
    assert [text for text in incompatibilities(document(), new) if text.endswith(expected)]


def test_a12_what_only_adds_is_compatible() -> None:
    new = document()
    new["paths"]["/v1/others"] = {"get": {"responses": {"200": {}}}}
    new["components"]["schemas"]["Thing"]["properties"]["colour"] = {"type": "string"}
    new["components"]["schemas"]["ThingCreate"]["properties"]["colour"] = {"type": "string"}
    assert incompatibilities(document(), new) == []


def test_two_services_cannot_claim_one_operation() -> None:
    assert double_claims({"a": document(), "b": document()}) == [
        "POST /v1/things is claimed by two services"
    ]

from pathlib import Path
from typing import Any

import pytest

from bihuan.importer.mapping import MappingRefused, load_mapping, parse_mapping

EVENT_FIELDS = ("event_id", "customer_id", "type", "occurred_at")


def document(**changes: Any) -> dict[str, Any]:
    part = {"file": "people", "fields": {"customer_id": "{id}", "party_type": "person"}}
    return {
        "source": "test",
        "currency": "CNY",
        "zone": "Asia/Shanghai",
        "files": {"people": {"path": "people.csv"}},
        "customers": [part],
    } | changes


def part(**changes: Any) -> dict[str, Any]:
    return document()["customers"][0] | changes


def dated(pattern: str | list[str]) -> dict[str, Any]:
    fields = part()["fields"] | {"birth_date": {"from": "{born}", "date": pattern}}
    return {"customers": [part(fields=fields)]}


def test_a_plain_mapping_is_read() -> None:
    mapping = parse_mapping(document())

    assert mapping.customers[0].fields["customer_id"].origin == "{id}"


@pytest.mark.parametrize("target", ["consents", "consent", "preferences"])
def test_a_mapping_grants_no_consent(target: str) -> None:
    with pytest.raises(MappingRefused, match="grants no consent"):
        parse_mapping(document(**{target: [part()]}))


def test_a_field_that_grants_consent_is_refused_too() -> None:
    fields = part()["fields"] | {"consents": "granted"}

    with pytest.raises(MappingRefused, match="grants no consent"):
        parse_mapping(document(customers=[part(fields=fields)]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"zone": "Asia/Atlantis"}, "no time zone Asia/Atlantis"),
        ({"currency": "yuan"}, "currency"),
        ({"customers": [part(file="nobody")]}, "no file nobody"),
        ({"customers": [part(fields={"customer_id": "{id}"})]}, "party_type is required"),
        (
            {"customers": [part(fields=part()["fields"] | {"shoe_size": "{s}"})]},
            "customers have no shoe_size",
        ),
        (
            {"customers": [part(fields=part()["fields"] | {"name": {"slice": [0, 1]}})]},
            "exactly one of from, choose, json",
        ),
        ({"files": {"people": {"path": "p", "header": False}}}, "needs its columns named"),
        (dated("%Y-%m"), "%Y-%m needs %Y or %y, %m and %d"),
        (dated("%Y-%b-%d"), "%Y-%b-%d holds %b; known are %Y"),
        (dated("%Y%m%d %d"), "holds a part twice"),
        (dated([]), "date"),
        (
            {
                "events": [
                    {
                        "file": "people",
                        "day_end": {"rule": "running_sum"},
                        "fields": dict.fromkeys(
                            ("event_id", "customer_id", "type", "occurred_at"), "{x}"
                        ),
                    }
                ]
            },
            "day_end needs holding_id and balance_after",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MappingRefused, match=told):
        parse_mapping(document(**changes))


def test_words_that_yaml_takes_for_something_else_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(
        """
source: test
currency: CNY
zone: Asia/Shanghai
files: {people: {path: people.csv, header: true}}
customers:
  - file: people
    where: {country: [NO, 0108]}
    join:
      - {file: people, on: {id: id}, take: {other: name}}
    fields:
      customer_id: "{id}"
      party_type: {from: "{kind}", map: {yes: person, no: null}}
"""
    )
    part = load_mapping(path).customers[0]

    assert part.where == {"country": ["NO", "0108"]}
    assert part.join[0].on == {"id": "id"}
    assert part.fields["party_type"].map == {"yes": "person", "no": None}


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("files: [")

    with pytest.raises(MappingRefused, match="no YAML"):
        load_mapping(path)


def test_a_list_is_no_mapping() -> None:
    with pytest.raises(MappingRefused):
        parse_mapping([1, 2])

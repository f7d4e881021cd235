from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bihuan.importer.mapping import MappingRefused, parse_mapping
from bihuan.importer.sources import Sources
from bihuan.importer.translate import Translation, translate

FILES = {
    "people.csv": "id,kind,born\n1,p,1990-05-01\n2,p,soon\n3,x,\n4,p,\n1,p,\n",
    "accounts.csv": "acc,who,role\nA,1,OWNER\nB,1,OWNER\nB,2,OWNER\nA,4,USER\n",
    "moves.csv": "no,acc,day,way,sum,after\n"
    "11,A,2020-01-01,+,100.00,100.00\n"
    "12,A,2020-01-02,-,30,90\n"
    "13,A,2020-01-02,+,20,120\n"
    "14,A,2020-01-03,-,-5,85\n"
    "15,B,2020-01-03,+,5,5\n",
}
PEOPLE: dict[str, Any] = {
    "file": "people",
    "fields": {
        "customer_id": "c{id}",
        "party_type": {"from": "{kind}", "map": {"p": "person"}},
        "birth_date": {"from": "{born}"},
    },
}
MOVES: dict[str, Any] = {
    "file": "moves",
    "join": [
        {
            "file": "accounts",
            "on": {"acc": "acc"},
            "where": {"role": "OWNER"},
            "take": {"owner": "who"},
        }
    ],
    "totals_by": "way",
    "day_end": {"rule": "running_sum", "tolerances": ["0.01", "5"]},
    "fields": {
        "event_id": "e{no}",
        "customer_id": "c{owner}",
        "holding_id": "h{acc}",
        "type": "payment",
        "occurred_at": {"from": "{day}", "at": "12:00"},
        "direction": {"from": "{way}", "map": {"+": "in", "-": "out"}},
        "amount": "{sum}",
        "balance_after": "{after}",
    },
}


def _translate(folder: Path, **targets: Any) -> Translation:
    for name, text in FILES.items():
        (folder / name).write_text(text)
    document = {
        "source": "test",
        "currency": "CNY",
        "zone": "Asia/Shanghai",
        "files": {name.removesuffix(".csv"): {"path": name} for name in FILES},
    }
    mapping = parse_mapping(document | targets)
    return translate(mapping, Sources(mapping, folder))


def test_rows_that_do_not_fit_are_set_aside_with_line_and_reason(tmp_path: Path) -> None:
    done = _translate(tmp_path, customers=[PEOPLE])

    assert done.frames["customers"]["customer_id"].to_list() == ["c1", "c4"]
    assert done.rejects.rows() == [
        ("people", 3, "birth_date from born: no date: 'soon'"),
        ("people", 4, "party_type from kind: not in the map: 'x'"),
        ("people", 6, "customer_id: given before: c1"),
    ]


def test_a_join_takes_columns_only_where_one_row_agrees(tmp_path: Path) -> None:
    done = _translate(tmp_path, events=[MOVES])

    assert set(done.frames["events"]["customer_id"]) == {"c1"}
    assert (
        "moves",
        6,
        "customer_id from owner: missing",
    ) in done.rejects.rows(), "account B has two owners: it cannot be known which"


def test_negative_amounts_are_rejected(tmp_path: Path) -> None:
    rejects = _translate(tmp_path, events=[MOVES]).rejects.rows()

    assert ("moves", 5, "amount from sum: negative") in rejects


def test_events_get_currency_time_zone_order_and_totals(tmp_path: Path) -> None:
    done = _translate(tmp_path, events=[MOVES])
    events = done.frames["events"]

    assert events["occurred_at"][0] == datetime(2020, 1, 1, 4, tzinfo=UTC)
    assert set(events["currency"]) == {"CNY"}
    assert events.select("event_id", "sequence").rows() == [("e11", 0), ("e12", 1), ("e13", 0)]
    assert [(t.word, t.rows, t.amount) for t in done.totals] == [
        ("+", 2, Decimal(120)),
        ("-", 1, Decimal(30)),
    ]


def test_the_ledger_is_checked_against_the_running_sum(tmp_path: Path) -> None:
    (check,) = _translate(tmp_path, events=[MOVES]).ledgers

    assert (check.account_days, check.within, check.worst) == (2, {"0.01": 2, "5": 2}, 0)


def test_rows_that_are_not_wanted_are_skipped_not_rejected(tmp_path: Path) -> None:
    done = _translate(tmp_path, customers=[PEOPLE | {"where": {"id": ["1", "4"], "born": ""}}])

    assert done.frames["customers"]["customer_id"].to_list() == ["c4", "c1"]
    assert (done.skipped, done.rejects.height) == (3, 0)


def test_a_row_is_left_out_for_what_it_says(tmp_path: Path) -> None:
    done = _translate(tmp_path, customers=[PEOPLE | {"unless": {"kind": ["x", "y"]}}])

    assert (done.skipped, [line for _, line, _ in done.rejects.rows()]) == (1, [3, 6])


def test_customers_come_out_of_a_file_of_bookings(tmp_path: Path) -> None:
    fields = {"customer_id": "c{acc}", "party_type": "person", "birth_date": "{day}"}
    done = _translate(tmp_path, customers=[{"file": "moves", "first_of": "acc", "fields": fields}])
    days = done.frames["customers"].select("customer_id", "birth_date").rows()

    assert days == [("cA", date(2020, 1, 1)), ("cB", date(2020, 1, 3))]
    assert (done.skipped, done.rejects.height) == (3, 0)


def test_the_first_that_fits_stands_for_its_key(tmp_path: Path) -> None:
    part = PEOPLE | {"where": {"id": ["2", "3", "4"]}, "first_of": "kind"}
    done = _translate(tmp_path, customers=[part])

    assert done.frames["customers"]["customer_id"].to_list() == ["c4"]
    assert done.rejects.rows() == [("people", 4, "party_type from kind: not in the map: 'x'")]


def test_bookings_that_stand_in_order_close_their_day_with_the_last(tmp_path: Path) -> None:
    closed = {"rule": "file_order", "tolerances": ["0.01"]}
    done = _translate(tmp_path, events=[MOVES | {"day_end": closed}])
    events, (check,) = done.frames["events"], done.ledgers

    assert events.select("event_id", "sequence").rows() == [("e11", 0), ("e12", 0), ("e13", 1)]
    assert (check.account_days, check.within, check.worst) == (2, {"0.01": 1}, 30)


def test_everything_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    fields = PEOPLE["fields"] | {"name": "{nothing}", "gender": "{sex}"}
    with pytest.raises(MappingRefused) as refused:
        _translate(tmp_path, customers=[PEOPLE | {"where": {"none": "x"}, "fields": fields}])

    assert str(refused.value).splitlines() == [
        "the files do not fit the mapping:",
        "  customers[0].where: people.csv has no column none",
        "  customers[0].fields.name: people.csv has no column nothing",
        "  customers[0].fields.gender: people.csv has no column sex",
        "  people.csv has id, kind, born",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"where": {"nothing": "x"}},
        {"unless": {"nothing": "x"}},
        {"first_of": "nothing"},
        {"totals_by": "nothing"},
        {"join": [{"file": "accounts", "on": {"id": "nothing"}, "take": {"a": "acc"}}]},
        {"join": [{"file": "accounts", "on": {"nothing": "who"}, "take": {"a": "acc"}}]},
        {"fields": PEOPLE["fields"] | {"name": "{nothing}"}},
        {
            "fields": PEOPLE["fields"]
            | {
                "name": {
                    "from": "{id}",
                    "lookup": {"file": "accounts", "key": "nothing", "value": "acc"},
                }
            }
        },
    ],
)
def test_a_column_that_is_not_there_refuses_the_mapping(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(MappingRefused, match="no column nothing"):
        _translate(tmp_path, customers=[PEOPLE | changes])


def test_a_taken_column_may_not_hide_one_of_the_file(tmp_path: Path) -> None:
    join = {"file": "accounts", "on": {"id": "who"}, "take": {"born": "acc"}}

    with pytest.raises(MappingRefused, match=r"people\.csv has a column born already"):
        _translate(tmp_path, customers=[PEOPLE | {"join": [join]}])


def test_one_account_may_belong_to_several_customers(tmp_path: Path) -> None:
    done = _translate(
        tmp_path,
        accounts=[
            {
                "file": "accounts",
                "fields": {
                    "account_id": "{acc}",
                    "customer_id": "c{who}",
                    "opened_at": "2020-01-01",
                },
            }
        ],
    )

    assert done.frames["accounts"].height == 4


def test_files_that_are_missing_are_all_named_before_anything_is_read(tmp_path: Path) -> None:
    mapping = parse_mapping(
        {
            "source": "t",
            "currency": "CNY",
            "zone": "Asia/Shanghai",
            "files": {"a": {"path": "a.csv"}, "b": {"path": "b.csv"}},
        }
    )

    with pytest.raises(MappingRefused, match=r"a\.csv, b\.csv"):
        Sources(mapping, tmp_path).check()

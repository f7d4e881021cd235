"""Why a row of an import may not be taken."""

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

import polars as pl

from services.profile.accounts.domain import Role
from services.profile.consents.domain import Channel, State
from services.profile.customers.domain import CODES
from services.profile.events.domain import LARGEST_FEN
from services.profile.identifiers.domain import KINDS
from services.profile.jobs.domain.jobs import Row, one_of
from services.profile.needs.domain import LAST_PRIORITY, NeedKind
from services.profile.purposes.domain import Purpose, Text, in_place_of
from services.profile.vocabulary import KycItem

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ORG = re.compile(r"[A-Za-z0-9_./-]{0,255}")
_ZONES = frozenset(available_timezones())
_ROLES = frozenset(Role)
_PURPOSES, _CHANNELS, _STATES = frozenset(Purpose), frozenset(Channel), frozenset(State)
_NEED_KINDS = frozenset(NeedKind)
_EARLIEST, _LATEST = date(1900, 1, 1), date(2200, 1, 1)
_AHEAD = timedelta(minutes=5)
LONGEST_TEXT = 4096
LONGEST_REFERENCE = 128

Fault = tuple[str, pl.Expr]
"""A reason, and which rows it holds for; null is no."""
_CODED = tuple(CODES.items())


def is_id(value: object) -> bool:
    """Tell whether a value can be an id of ours."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def general(schema: pl.Schema, required: frozenset[str]) -> Iterator[Fault]:
    """Tell what may be wrong with rows of any kind: a missing value, or one that cannot be kept.

    Args:
        schema: of the rows; money is whole fen.
        required: columns that every row fills.
    """
    for name in sorted(required):
        missing = pl.col(name).is_null()
        yield (
            f"missing_{name}",
            missing | (pl.col(name) == "") if _is_text(schema, name) else missing,
        )
    for name, kind in schema.items():
        if kind == pl.String:
            is_long = pl.col(name).str.len_chars() > LONGEST_TEXT
            yield f"bad_{name}", is_long | pl.col(name).str.contains("\0", literal=True)
        elif kind.is_integer():
            yield f"bad_{name}", ~pl.col(name).is_between(-LARGEST_FEN, LARGEST_FEN)


def event() -> Iterator[Fault]:
    """Tell what may be wrong with the form of events; their content is judged elsewhere."""
    yield "bad_event_id", pl.col("event_id").str.len_chars() > 128
    yield "bad_direction", ~pl.col("direction").is_in(["in", "out"])
    kinds = ["own", "external", "merchant", "payroll"]
    yield "bad_counterparty_kind", ~pl.col("counterparty_kind").is_in(kinds)
    yield "bad_channel", pl.col("channel").str.len_chars() > 64


def reason(faults: Iterable[Fault]) -> pl.Expr:
    """Return of each row the first fault that it has, null if it has none."""
    return pl.coalesce(
        *(pl.when(holds).then(pl.lit(name)) for name, holds in faults),
        pl.lit(None, pl.String),
    )


def general_reasons(batch: pl.DataFrame, required: frozenset[str]) -> list[str | None]:
    """Return of each row what is generally wrong with it, None if nothing is."""
    return batch.select(reason(general(batch.schema, required))).to_series().to_list()


def _is_text(schema: pl.Schema, name: str) -> bool:
    return schema[name] == pl.String


def customer(row: Row, erased: Container[str]) -> str | None:
    """Return what is wrong with a customer; one who was `erased` is not taken in again."""
    return "erased_customer" if row["customer_id"] in erased else _customer(row)


def _customer(row: Row) -> str | None:
    if not is_id(row["customer_id"]) or row["customer_id"] in {row[kind] for kind in KINDS}:
        return "bad_customer_id"
    for name, values in _CODED:
        if not one_of(values, row[name]):
            return f"bad_{name}"
    if not (row["org_path"] is None or _ORG.fullmatch(row["org_path"])):
        return "bad_org_path"
    if not (row["rm_id"] is None or is_id(row["rm_id"])):
        return "bad_rm_id"
    if not one_of(_ZONES, row["time_zone"]):
        return "bad_time_zone"
    born = row["birth_date"]
    return None if born is None or date(1850, 1, 1) <= born <= _LATEST else "bad_birth_date"


def account(row: Row, customers: Container[str]) -> str | None:
    """Return what is wrong with an account."""
    if row["customer_id"] not in customers:
        return "unknown_customer"
    if not is_id(row["account_id"]):
        return "bad_account_id"
    if not one_of(_ROLES, row["role"]):
        return "bad_role"
    return _term(row)


def holding(
    row: Row,
    customers: Container[str],
    *,
    categories: Mapping[str, object],
    known: Mapping[tuple[str, str], str],
    currency: str,
    now: datetime,
) -> str | None:
    """Return what is wrong with a holding; `known` gives the categories of those there are."""
    if row["customer_id"] not in customers:
        return "unknown_customer"
    if not is_id(row["holding_id"]):
        return "bad_holding_id"
    if row["category"] not in categories:
        return "unknown_category"
    if known.get((row["customer_id"], row["holding_id"]), row["category"]) != row["category"]:
        return "category_fixed"
    if row["currency"] not in {None, currency}:
        return "foreign_currency"
    return _term(row) or _balance(row, now)


def consent(
    row: Row, customers: Container[str], now: datetime, texts: Sequence[Text] = ()
) -> str | None:
    """Return what is wrong with a statement of consent; `texts` are those of every purpose."""
    if row["customer_id"] not in customers:
        return "unknown_customer"
    if row["purpose"] not in _PURPOSES:
        return "unknown_purpose"
    if not one_of(_CHANNELS, row["channel"]):
        return "unknown_channel"
    if row["state"] not in _STATES:
        return "bad_state"
    own = [each for each in texts if each.purpose == row["purpose"]]
    if row["state"] == State.GRANTED and in_place_of(own, row["text_version"], row["at"]):
        return "text_outdated"
    return _ahead(row["at"], now)


def assessment(row: Row, customers: Container[str], now: datetime) -> str | None:
    """Return what is wrong with an assessment."""
    if row["customer_id"] not in customers:
        return "unknown_customer"
    if not 1 <= row["risk_class"] <= 5:
        return "bad_risk_class"
    return _ahead(row["assessed_at"], now)


def relation(row: Row, customers: Collection[str]) -> str | None:
    """Return what is wrong with the form of a relation; its sense is judged elsewhere."""
    return _first_of(
        unknown_customer=row["customer_id"] not in customers,
        bad_relation_id=not is_id(row["relation_id"]),
        bad_confidence=not _is_share(row["confidence"]),
        bad_term=not (_in_reach(row["since"]) and _in_reach(row["until"])),
        bad_source=not _is_code(row["source"]),
    )


def kyc_value(
    row: Row, party_types: Mapping[str, str], items: Mapping[str, KycItem], now: datetime
) -> str | None:
    """Return what is wrong with a value of the KYC card, or the confirmation of a fact."""
    if row["customer_id"] not in party_types:
        return "unknown_customer"
    item = items.get(row["item"])
    if item is None or party_types[row["customer_id"]] not in item.party_types:
        return "no_such_kyc_item"
    return _first_of(
        kyc_fact_elsewhere=item.fact is not None and row["value"] is not None,
        kyc_value_missing=item.fact is None and not row["value"],
        bad_source=not _is_code(row["source"]),
        ahead_of_time=row["confirmed_at"] > now + _AHEAD,
    )


def need(row: Row, customers: Collection[str], codes: Collection[str], now: datetime) -> str | None:
    """Return what is wrong with a need."""
    expires = row["valid_until"]
    return _first_of(
        unknown_customer=row["customer_id"] not in customers,
        bad_need_id=not is_id(row["need_id"]),
        bad_kind=row["kind"] not in _NEED_KINDS,
        unknown_need=row["code"] not in codes,
        bad_confidence=not _is_share(row["confidence"]),
        expired_before_stated=expires is not None and expires < row["stated_at"],
        bad_source=not _is_code(row["source"]),
        ahead_of_time=row["stated_at"] > now + _AHEAD,
    )


def goal(row: Row, customers: Collection[str], kinds: Collection[str], now: datetime) -> str | None:
    """Return what is wrong with a financial goal."""
    return _first_of(
        unknown_customer=row["customer_id"] not in customers,
        bad_goal_id=not is_id(row["goal_id"]),
        unknown_goal=row["kind"] not in kinds,
        bad_target=row["target"] is not None and row["target"] < 0,
        bad_horizon=not _in_reach(row["horizon"]),
        bad_priority=not 1 <= row["priority"] <= LAST_PRIORITY,
        bad_progress=not _is_share(row["progress"]),
        bad_source=not _is_code(row["source"]),
        ahead_of_time=row["stated_at"] > now + _AHEAD,
    )


def identity(
    row: Row,
    customers: Mapping[str, str],
    systems: Container[str],
    bearers: Mapping[tuple[str, str], str],
) -> str | None:
    """Return what is wrong with a reference; survivors of `customers`, `bearers` by reference."""
    bearer = bearers.get((row["system"], row["reference"]))
    return _first_of(
        unknown_customer=row["customer_id"] not in customers,
        unknown_system=row["system"] not in systems,
        bad_reference=len(row["reference"]) > LONGEST_REFERENCE,
        reference_taken=bearer is not None and bearer != customers.get(row["customer_id"]),
    )


def _first_of(**faults: bool) -> str | None:
    """Return the name of the first fault that holds."""
    return next((name for name, holds in faults.items() if holds), None)


def _is_code(value: str) -> bool:
    return _CODE.fullmatch(value) is not None


def _ahead(at: datetime, now: datetime) -> str | None:
    return "ahead_of_time" if at > now + _AHEAD else None


def _is_share(value: float | None) -> bool:
    return value is None or 0 <= value <= 1


def _in_reach(day: date | None) -> bool:
    return day is None or _EARLIEST <= day <= _LATEST


def _term(row: Row) -> str | None:
    opened, closed = row["opened_at"], row["closed_at"]
    if not _EARLIEST <= opened <= _LATEST:
        return "bad_opened_at"
    return "closed_before_opened" if closed is not None and closed < opened else None


def _balance(row: Row, now: datetime) -> str | None:
    if (row["balance"] is None) != (row["balance_at"] is None):
        return "balance_without_balance_at"
    if row["balance_at"] is not None and row["balance_at"] > now + _AHEAD:
        return "ahead_of_time"
    return None

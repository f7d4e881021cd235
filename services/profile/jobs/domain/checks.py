"""Why a row of an import may not be taken."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from services.profile.accounts.domain import Role
from services.profile.consents.domain import Channel, Purpose, State
from services.profile.customers.domain import CODES
from services.profile.events.domain import LARGEST_FEN
from services.profile.identifiers.domain import KINDS
from services.profile.jobs.domain.jobs import Row, one_of

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ORG = re.compile(r"[A-Za-z0-9_./-]{0,255}")
_ZONES = frozenset(available_timezones())
_ROLES = frozenset(Role)
_EARLIEST, _LATEST = date(1900, 1, 1), date(2200, 1, 1)
_AHEAD = timedelta(minutes=5)
_CODED = tuple(CODES.items())


def is_id(value: object) -> bool:
    """Tell whether a value can be an id of ours."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def general(row: Row, required: frozenset[str]) -> str | None:
    """Return what is wrong with any row: a missing value, or one that cannot be kept."""
    for name in required:
        if row[name] is None or row[name] == "":
            return f"missing_{name}"
    for name, value in row.items():
        if isinstance(value, str):
            if len(value) > 4096 or "\0" in value:
                return f"bad_{name}"
        elif isinstance(value, int) and abs(value) > LARGEST_FEN:
            return f"bad_{name}"
    return None


def customer(row: Row) -> str | None:
    """Return what is wrong with a customer."""
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


def account(row: Row, customers: frozenset[str]) -> str | None:
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
    customers: frozenset[str],
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


def consent(row: Row, customers: frozenset[str], now: datetime) -> str | None:
    """Return what is wrong with a statement of consent."""
    if row["customer_id"] not in customers:
        return "unknown_customer"
    if row["purpose"] not in frozenset(Purpose):
        return "unknown_purpose"
    if not one_of(frozenset(Channel), row["channel"]):
        return "unknown_channel"
    if row["state"] not in frozenset(State):
        return "bad_state"
    return "ahead_of_time" if row["at"] > now + _AHEAD else None


def assessment(row: Row, customers: frozenset[str], now: datetime) -> str | None:
    """Return what is wrong with an assessment."""
    if row["customer_id"] not in customers:
        return "unknown_customer"
    if not 1 <= row["risk_class"] <= 5:
        return "bad_risk_class"
    return "ahead_of_time" if row["assessed_at"] > now + _AHEAD else None


def event(row: Row) -> str | None:
    """Return what is wrong with the form of an event; its content is doubted elsewhere."""
    if len(row["event_id"]) > 128:
        return "bad_event_id"
    if row["direction"] not in {None, "in", "out"}:
        return "bad_direction"
    if row["counterparty_kind"] not in {None, "own", "external", "merchant", "payroll"}:
        return "bad_counterparty_kind"
    return "bad_channel" if len(row["channel"] or "") > 64 else None


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

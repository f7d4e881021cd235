"""What the exports answer: columns in Arrow types and the SQL each one is read by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from services.profile.features.domain import (
    FEATURES,
    NOT_OF_PAST_DEBTORS,
    NOT_OF_PAST_PARTIES,
    NOT_OF_THE_PAST,
    Kind,
    RunAhead,
)
from services.profile.vocabulary import contribution
from shared.errors import FieldError, Invalid

MONEY = pa.decimal128(18, 2)
MOMENT = pa.timestamp("us", tz="UTC")
TEXT = pa.string()
DAY = pa.date32()
YES = pa.bool_()
COUNT = pa.int32()
NUMBER = pa.float64()

_FEATURE_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.INT: pa.int32(),
    Kind.DECIMAL: pa.float64(),
    Kind.RATIO: pa.float64(),
    Kind.BOOL: YES,
    Kind.ENUM: TEXT,
    Kind.TEXT: TEXT,
}


@dataclass(frozen=True, slots=True)
class Export:
    """Rows of many customers, read customer by customer in the order of their ids.

    Args:
        source: FROM clause; `t` is the customer.
        schema: the columns.
        columns: SQL of each column, in the schema's order.
    """

    source: str
    schema: pa.Schema
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was so at `as_of`, as far as it was recorded until `known_at`; None: until now.

    `day` is the bank's, in its `zone`.
    """

    as_of: datetime
    known_at: datetime | None
    zone: str
    day: date


class NoMoment(Invalid):
    code = "no_moment"
    title = "The parameters name no moment of the past"


def moment_of(
    as_of: datetime | None,
    known_at: datetime | None,
    *,
    of_run: bool,
    now: datetime,
    zone: ZoneInfo,
) -> Moment | None:
    """Return which moment is asked for; None: what was last computed.

    Raises:
        NoMoment: `known_at` stands alone, or a run is asked for at the same time.
        RunAhead: the moment has not come.
    """
    if as_of is None:
        if known_at is not None:
            raise NoMoment(
                "known_at narrows as_of; send both",
                errors=[FieldError("/known_at", "needs as_of")],
            )
        return None
    if of_run:
        raise NoMoment(
            "What a run changed is of the run's time; leave out as_of or changed_in_run",
            errors=[FieldError("/changed_in_run", "does not go with as_of")],
        )
    if as_of > now:
        raise RunAhead(f"as_of {as_of} lies ahead of {now}")
    return Moment(as_of=as_of, known_at=known_at, zone=zone.key, day=as_of.astimezone(zone).date())


def _export(source: str, columns: Mapping[str, tuple[pa.DataType, str]]) -> Export:
    return Export(
        source,
        pa.schema([(name, kind) for name, (kind, _) in columns.items()]),
        tuple(sql for _, sql in columns.values()),
    )


def _plain(alias: str, kind: pa.DataType, names: str) -> dict[str, tuple[pa.DataType, str]]:
    return {name: (kind, f"{alias}.{name}") for name in names.split()}


def _money(alias: str, names: str) -> dict[str, tuple[pa.DataType, str]]:
    return {name: (MONEY, f"({alias}.{name} / 100.0)::numeric(18, 2)") for name in names.split()}


CUSTOMERS = _export(
    "customer AS t",
    {
        **_plain("t", TEXT, "customer_id party_type"),
        **_plain("t", DAY, "birth_date"),
        **_plain("t", TEXT, "gender occupation"),
        **_money("t", "income_year"),
        **_plain("t", TEXT, "city residence_area"),
        **_plain("t", YES, "local_hukou"),
        **_plain("t", COUNT, "local_hukou_years"),
        **_plain("t", YES, "resident_here"),
        **_plain("t", COUNT, "minor_children"),
        **_plain("t", YES, "has_car is_business_owner"),
        **_plain("t", TEXT, "acquisition_source"),
        **_money("t", "acquisition_cost"),
        **_plain("t", YES, "wechat_friend qualified_investor"),
        **_plain("t", TEXT, "industry enterprise_size credit_rating tax_rating"),
        **_money("t", "declared_turnover"),
        **_plain("t", YES, "has_direct_link"),
        **_plain("t", TEXT, "time_zone org_path rm_id"),
    },
)
ACCOUNTS = _export(
    "customer AS t JOIN account AS a USING (customer_id)",
    {
        "account_id": (TEXT, "a.account_id"),
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("a", TEXT, "role currency"),
        **_plain("a", DAY, "opened_at closed_at"),
        **_plain("a", TEXT, "status"),
    },
)
HOLDINGS = _export(
    """customer AS t JOIN holding AS h USING (customer_id)
       LEFT JOIN LATERAL (
           SELECT balance, at AS balance_at FROM balance AS p
           WHERE p.customer_id = h.customer_id AND p.holding_id = h.holding_id
           ORDER BY day DESC LIMIT 1) AS b ON true""",
    {
        "holding_id": (TEXT, "h.holding_id"),
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("h", TEXT, "account_id category product_id currency"),
        **_plain("h", DAY, "opened_at matures_at closed_at"),
        **_money("b", "balance"),
        **_plain("b", MOMENT, "balance_at"),
        **_money("h", "credit_line amount"),
        **_plain("h", COUNT, "term_months"),
        **_money("h", "payment"),
        **_plain("h", TEXT, "status"),
        "rate": (NUMBER, "h.rate"),
        **_plain("h", DAY, "overdue_since"),
    },
)
EVENTS = _export(
    "customer AS t JOIN event AS e USING (customer_id)",
    {
        "event_id": (TEXT, "e.event_id"),
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("e", TEXT, "type"),
        **_plain("e", MOMENT, "occurred_at"),
        **_plain("e", TEXT, "account_id holding_id"),
        **_money("e", "amount"),
        **_plain("e", TEXT, "direction"),
        "currency": (TEXT, "CASE WHEN e.amount IS NOT NULL THEN $5::text END"),
        **_money("e", "balance_after"),
        **_plain("e", TEXT, "channel counterparty counterparty_kind purpose"),
        **_plain("e", pa.int64(), "sequence"),
        "data": (TEXT, "e.data::text"),
    },
)
BALANCES = _export(
    "customer AS t JOIN balance AS b USING (customer_id)",
    {
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("b", TEXT, "holding_id"),
        **_plain("b", DAY, "day"),
        **_money("b", "balance"),
        **_plain("b", MOMENT, "at"),
    },
)
# A relation is told to whom sees both parties.
RELATIONS = _export(
    """customer AS t JOIN relation AS r USING (customer_id)
       JOIN customer AS o ON o.customer_id = r.to_id
           AND ($3::text IS NULL OR o.org_path = $3 OR starts_with(o.org_path, $3 || '/'))
           AND ($4::text IS NULL OR o.rm_id = $4)""",
    {
        **_plain("r", TEXT, "relation_id"),
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("r", TEXT, "kind to_id role"),
        **_plain("r", DAY, "since until"),
        **_plain("r", NUMBER, "share"),
        **_plain("r", TEXT, "source"),
        **_plain("r", NUMBER, "confidence"),
    },
)
KYC = _export(
    "customer AS t JOIN kyc_value AS k USING (customer_id)",
    {
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("k", TEXT, "item source"),
        **_plain("k", MOMENT, "confirmed_at"),
    },
)
NEEDS = _export(
    "customer AS t JOIN need AS n USING (customer_id)",
    {
        **_plain("n", TEXT, "need_id"),
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("n", TEXT, "kind code source"),
        **_plain("n", NUMBER, "confidence"),
        **_plain("n", MOMENT, "stated_at valid_until resolved_at"),
    },
)
GOALS = _export(
    "customer AS t JOIN goal AS g USING (customer_id)",
    {
        **_plain("g", TEXT, "goal_id"),
        "customer_id": (TEXT, "t.customer_id"),
        **_plain("g", TEXT, "kind"),
        **_money("g", "target"),
        **_plain("g", DAY, "horizon"),
        **_plain("g", COUNT, "priority"),
        **_plain("g", NUMBER, "progress"),
        **_plain("g", TEXT, "source"),
        **_plain("g", MOMENT, "stated_at closed_at"),
    },
)


def features(wanted: Mapping[str, Kind], shown: str, *, of_run: bool) -> Export:
    """Return the export of these features, of one run's changes (`$5`) or of everybody.

    Args:
        wanted: features with their kinds.
        shown: SQL of the declared ones that a row `f` shows.
        of_run: whether only what one run changed.
    """
    condition = " AND f.run_id = $5::text" if of_run else ""
    return _export(
        f"""customer AS t JOIN feature AS f ON f.customer_id = t.customer_id{condition}
            {_own(wanted, shown)}""",
        {
            "customer_id": (TEXT, "t.customer_id"),
            "as_of": (MOMENT, "f.as_of"),
            **{name: (_FEATURE_TYPES[kind], _now(name, kind)) for name, kind in wanted.items()},
        },
    )


def features_of_the_past(wanted: Mapping[str, Kind], computed: str) -> Export:
    """Return the export of these features at a moment (`$3`); what is not known of it is null.

    Args:
        wanted: features with their kinds.
        computed: SQL that computes all features of customers of the past.
    """
    return _export(
        f"past_customer AS t JOIN ({computed}) AS f ON f.customer_id = t.customer_id",
        {
            "customer_id": (TEXT, "t.customer_id"),
            "as_of": (MOMENT, "$3::timestamptz"),
            **{name: (_FEATURE_TYPES[kind], _then(name, kind)) for name, kind in wanted.items()},
        },
    )


def _own(wanted: Mapping[str, Kind], shown: str) -> str:
    if FEATURES.keys() >= wanted.keys():
        return ""
    return f"CROSS JOIN LATERAL (SELECT {shown} AS declared) AS own"


def _now(name: str, kind: Kind) -> str:
    return f"f.{name}" if name in FEATURES else _declared("own", name, kind)


def _then(name: str, kind: Kind) -> str:
    return _of_the_past(name) if name in FEATURES else _declared("f", name, kind)


def _declared(row: str, name: str, kind: Kind) -> str:
    return f"({row}.declared ->> '{name}')::{'int' if kind is Kind.INT else 'float8'}"


_LENT = ", ".join(f"'{rates.key}'" for rates in contribution().balances.values() if rates.risk)


def _of_the_past(name: str) -> str:
    if name in NOT_OF_THE_PAST:
        return "NULL"
    if name in NOT_OF_PAST_DEBTORS:
        return f"""CASE WHEN NOT EXISTS (
            SELECT FROM party_holding AS h
            WHERE h.customer_id = t.customer_id AND category IN ({_LENT})) THEN f.{name} END"""
    if name in NOT_OF_PAST_PARTIES:
        return f"CASE WHEN t.merged_at IS NULL THEN f.{name} END"
    return f"CASE WHEN t.is_known THEN f.{name} END" if name == "has_rm" else f"f.{name}"

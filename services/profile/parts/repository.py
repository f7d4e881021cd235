"""One statement for all parts: each piece is an array of whole rows of its table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

import asyncpg

from services.profile.accounts.domain import Account, Role
from services.profile.assessments.domain import Assessment
from services.profile.complaints.domain import Complaint
from services.profile.consents.domain import Channel, Consent, Consents, Preferences, State
from services.profile.customers.domain import FACTS, Flags
from services.profile.customers.repository import facts_of, scope_of, seen
from services.profile.features.domain import FEATURES, CustomerFeatures, FeatureValue
from services.profile.features.repository.declared import shown
from services.profile.holdings.domain import Balance, Holding
from services.profile.holdings.tables import HoldingRow
from services.profile.identifiers.repository import Sealed
from services.profile.kyc.domain import Kept
from services.profile.needs.domain import Goal, Need, NeedKind
from services.profile.needs.tables import GoalRow
from services.profile.parts.domain import Pieces
from services.profile.placements.domain import Placement
from services.profile.purposes.domain import Purpose
from services.profile.timeline.domain import Entry, Source
from services.profile.vocabulary import talk_cards
from services.profile.watch.domain import Alert, Ending, Tag
from shared.database import Money, from_fen
from shared.feed.publish import pending
from shared.tokens import Token

T = TypeVar("T")
GOALS_AT_MOST = 201

_NEEDED: Mapping[str, frozenset[str]] = {
    "customer": frozenset({"sealed"}),
    "consents": frozenset({"consents", "is_pending"}),
    "features": frozenset({"features", "declared"}),
    "kyc": frozenset({"sealed", "assessments", "goals", "kept", "blind"}),
    "relations": frozenset({"has_relations"}),
    "household": frozenset({"has_relations"}),
    "levels": frozenset({"placement"}),
    "segments": frozenset({"placement"}),
}
"""Pieces by part; any other part needs the piece of its own name, if there is one."""
_PARTY = f"""
WITH p AS MATERIALIZED (
    SELECT t.customer_id, t AS customer, ARRAY[t.customer_id] || ARRAY(
               SELECT m.customer_id FROM customer AS m WHERE m.merged_into = t.customer_id
               ORDER BY m.customer_id) AS records,
           $5::int AS most, $6::text[] AS safety
    FROM customer AS r JOIN customer AS t ON t.customer_id = coalesce(r.merged_into, r.customer_id)
    WHERE r.customer_id = $1::text AND {seen("t", 2)}
)
"""  # noqa: S608 - names of ours
_HELD = """
CROSS JOIN LATERAL (
    SELECT array_agg(x.h ORDER BY x.holding_id) AS holdings,
           array_agg(last.b ORDER BY x.holding_id) AS balances
    FROM (
        SELECT DISTINCT ON (h.holding_id) h, h.customer_id, h.holding_id FROM holding AS h
        WHERE h.customer_id = ANY (p.records)
        ORDER BY h.holding_id, h.customer_id <> p.customer_id, h.customer_id LIMIT p.most
    ) AS x LEFT JOIN LATERAL (
        SELECT b FROM balance AS b
        WHERE b.customer_id = x.customer_id AND b.holding_id = x.holding_id
        ORDER BY b.day DESC LIMIT 1
    ) AS last ON true
) AS held
"""


def _each_once(table: str, key: str, most: object = "p.most") -> str:
    """Return the SQL of a table's rows of all records by key; the survivor's row goes first."""
    return f"""ARRAY(
        SELECT DISTINCT ON (x.{key}) x FROM {table} AS x WHERE x.customer_id = ANY (p.records)
        ORDER BY x.{key}, x.customer_id <> p.customer_id, x.customer_id LIMIT {most})"""  # noqa: S608 - names of ours


_PIECES: Mapping[str, str] = {
    "sealed": "ARRAY(SELECT x FROM identifier AS x WHERE x.customer_id = ANY (p.records))",
    "accounts": _each_once("account", "account_id"),
    "holdings": "held.holdings",
    "features": "(SELECT x FROM feature AS x WHERE x.customer_id = p.customer_id)",
    "declared": f"(SELECT {shown('x')} FROM feature AS x WHERE x.customer_id = p.customer_id)",  # noqa: S608 - text of ours
    "consents": """ARRAY(SELECT x FROM consent AS x WHERE x.customer_id = p.customer_id
        ORDER BY x.purpose, x.channel)""",
    "is_pending": pending("p.records", "p.safety"),
    "complaints": _each_once("complaint", "complaint_id"),
    "assessments": """ARRAY(
        SELECT DISTINCT ON (x.assessed_at) x FROM assessment AS x
        WHERE x.customer_id = ANY (p.records)
        ORDER BY x.assessed_at DESC, x.customer_id LIMIT p.most)""",
    "needs": _each_once("need", "need_id"),
    "goals": _each_once("goal", "goal_id", GOALS_AT_MOST),
    "touches": """ARRAY(SELECT x FROM touch AS x WHERE x.customer_id = ANY (p.records)
        ORDER BY x.occurred_at DESC, x.touch_id DESC LIMIT p.most)""",
    "alerts": """ARRAY(SELECT x FROM alert AS x
        WHERE x.customer_id = ANY (p.records) AND x.cleared_at IS NULL
        ORDER BY x.alert_id DESC LIMIT p.most)""",
    "tags": """ARRAY(SELECT x FROM tag AS x
        WHERE x.customer_id = ANY (p.records) AND x.ended_at IS NULL
        ORDER BY x.tag_id DESC LIMIT p.most)""",
    "placement": "(SELECT x FROM placement AS x WHERE x.customer_id = p.customer_id)",
    "kept": """ARRAY(SELECT x FROM kyc_value AS x WHERE x.customer_id = ANY (p.records)
        ORDER BY x.item, x.confirmed_at, x.customer_id)""",
    "has_relations": """EXISTS (SELECT FROM relation WHERE from_party = p.customer_id)
        OR EXISTS (SELECT FROM relation WHERE to_party = p.customer_id)""",
}


async def find(
    connection: asyncpg.Connection,
    customer_id: str,
    token: Token,
    names: frozenset[str],
    *,
    safety: Sequence[str],
    limit: int,
) -> tuple[Pieces, list[tuple[str, Sealed]]] | None:
    """Return what these parts need of a customer, and its identifiers as they are stored.

    `safety` are the types of events that shut a customer off from offers, `limit` holds for each
    list. None: there is none, or it is not the token's to see. A token that is bound to a customer
    may ask for itself alone, which was seen to before.
    """
    org, rm, _ = scope_of(token)
    wanted = frozenset().union(*(_NEEDED.get(name, {name}) for name in names))
    row = await connection.fetchrow(_statement(wanted), customer_id, org, rm, None, limit, safety)
    if row is None:
        return None
    sealed = [(x["customer_id"], Sealed(x["kind"], x["sealed"], x["digest"])) for x in _of(row)]
    return _to_pieces(row), sealed


@cache
def _statement(wanted: frozenset[str]) -> str:
    columns = [f"{sql} AS {name}" for name, sql in _PIECES.items() if name in wanted]
    joins = ""
    if "holdings" in wanted:
        columns.append("held.balances")
        joins = _HELD
    if "blind" in wanted:
        rules = ", ".join(f"({card.rule}) IS TRUE" for card in talk_cards())
        columns.append(
            f"(SELECT ARRAY[{rules}] FROM feature WHERE customer_id = p.customer_id)"  # noqa: S608 - shipped rules
            " AS blind"
        )
    found = ", ".join(["p.customer_id", "p.customer", "p.records", *columns])
    return f"{_PARTY} SELECT {found} FROM p {joins}"  # noqa: S608 - names and rules of ours


def _of(row: asyncpg.Record, piece: str = "sealed") -> Sequence[Any]:
    return row.get(piece) or ()


def _to_pieces(row: asyncpg.Record) -> Pieces:
    customer, feature = row["customer"], row.get("features")
    placement = row.get("placement")
    facts = facts_of(customer)
    return Pieces(
        customer_id=row["customer_id"],
        records=row["records"],
        facts={name: facts[name] for name in FACTS},
        created_at=customer["created_at"],
        updated_at=customer["updated_at"],
        flags=_value(customer, Flags),
        consents=_to_consents(customer, _of(row, "consents")),
        is_pending=bool(row.get("is_pending")),
        features=feature and _to_features(feature, row["declared"]),
        has_relations=bool(row.get("has_relations")),
        accounts=[_value(x, Account, role=Role(x["role"])) for x in _of(row, "accounts")],
        holdings=[
            (Holding(**_columns(x, _HOLDING, _HOLDING_MONEY)), b and _to_balance(b))
            for x, b in zip(_of(row, "holdings"), _of(row, "balances"), strict=True)
        ],
        complaints=[_value(x, Complaint) for x in _of(row, "complaints")],
        assessments=[_value(x, Assessment) for x in _of(row, "assessments")],
        needs=[_value(x, Need, kind=NeedKind(x["kind"])) for x in _of(row, "needs")],
        goals=[Goal(**_columns(x, _GOAL, _GOAL_MONEY)) for x in _of(row, "goals")],
        touches=[_to_entry(x) for x in _of(row, "touches")],
        alerts=[_value(x, Alert) for x in _of(row, "alerts")],
        tags=[_value(x, Tag, ending=x["ending"] and Ending(x["ending"])) for x in _of(row, "tags")],
        placement=placement and _value(placement, Placement),
        kept={x["item"]: _to_kept(x) for x in _of(row, "kept")},
        blind=[card for card, holds in zip(talk_cards(), _of(row, "blind"), strict=False) if holds],
    )


def _value(row: asyncpg.Record, kind: type[T], /, **given: object) -> T:
    columns = {name: row[name] for name in _names(kind) if name not in given}
    return kind(**columns, **given)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _money_of(columns: Iterable[Any]) -> frozenset[str]:
    return frozenset(column.name for column in columns if isinstance(column.type, Money))


def _columns(row: asyncpg.Record, names: Iterable[str], money: frozenset[str]) -> dict[str, Any]:
    """Return columns as they are outside: money in yuan."""
    return {
        name: from_fen(row[name]) if name in money and row[name] is not None else row[name]
        for name in names
    }


_HOLDING, _GOAL = _names(Holding), _names(Goal)
_HOLDING_MONEY = _money_of(HoldingRow.__table__.columns)
_GOAL_MONEY = _money_of(GoalRow.__table__.columns)


def _to_balance(row: asyncpg.Record) -> Balance:
    return Balance(from_fen(row["balance"]), row["at"])


def _to_features(row: asyncpg.Record, own: dict[str, FeatureValue] | None) -> CustomerFeatures:
    return CustomerFeatures(
        customer_id=row["customer_id"],
        as_of=row["as_of"],
        features={name: row[name] for name in FEATURES} | (own or {}),
    )


def _to_consents(customer: asyncpg.Record, rows: Sequence[asyncpg.Record]) -> Consents:
    return Consents(
        customer_id=customer["customer_id"],
        merged_at=customer["merged_at"],
        consents=tuple(
            Consent(
                purpose=Purpose(x["purpose"]),
                channel=Channel(x["channel"]),
                state=State(x["state"]),
                at=x["at"],
            )
            for x in rows
        ),
        preferences=_value(customer, Preferences),
    )


def _to_entry(row: asyncpg.Record) -> Entry:
    return Entry(
        source=Source(row["kind"]),
        id=row["touch_id"],
        type=row["type"],
        occurred_at=row["occurred_at"],
        channel=row["channel"],
        facts=row["facts"],
    )


def _to_kept(row: asyncpg.Record) -> Kept:
    return Kept(
        item=row["item"],
        source=row["source"],
        confirmed_at=row["confirmed_at"],
        is_sealed=row["sealed"] is not None,
    )

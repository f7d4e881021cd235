"""The record of a decision, at most 2 KB: enough to make it again (statement L7).

The situation is kept as the values that the catalogue of its version can ask for, in the order of
`recorded_attributes`, so the names need not be stored.
"""

import zlib
from collections.abc import Sequence
from dataclasses import fields as fields_of
from datetime import date, datetime
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

import numpy as np
import orjson

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.channels.domain import Direction
from services.strategy.customers.domain import (
    EVERY_CHANNEL,
    MARKETING,
    Complaints,
    Consent,
    Customer,
    Flags,
    Value,
)
from services.strategy.decisions.domain.ranking import Shortlisted
from services.strategy.entries.domain import Fields
from services.strategy.funnel.domain.situation import Situation
from services.strategy.gates.domain.applicability import STAGE_SCALE
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.suppressions.domain import Scope, Suppression

SHORTLIST = np.dtype([("place", "<u2"), ("propensity", "<f4"), ("evidence", "<f4"), ("pi", "<f4")])
PLAIN_BYTES = 1200  # compressing less costs the page more than it spares the disk
_FLAGS = tuple(field.name for field in fields_of(Flags))
_GATES = ("age", "party_type", "qualified_investor", STAGE_SCALE)


@lru_cache(maxsize=8)  # asked for every decision, and of few versions at a time
def recorded_attributes(catalogue: Catalogue) -> tuple[str, ...]:
    """Return every attribute that a decision of this catalogue can depend on, sorted."""
    rules = catalogue.shelf.decisioning
    held = {f"has_{category}" for category in rules.held_once}
    return tuple(sorted({*_GATES, *rules.suitability.means, *held, *catalogue.rule_attributes}))


@lru_cache(maxsize=8)
def recorded_groups(catalogue: Catalogue) -> frozenset[str]:
    """Return every group that a strategy of this catalogue is for."""
    return frozenset(group for s in catalogue.shelf.strategies for group in s.groups)


def pack(catalogue: Catalogue, situation: Situation) -> bytes:
    """Return all of a situation that a decision depends on, as few bytes."""
    customer = situation.customer
    kept = {
        "now": situation.now.isoformat(),
        "today": situation.today.isoformat(),
        "zone": situation.zone.key,
        "limit": situation.limit,
        "seed": situation.seed,
        "context": situation.context,
        "exhausted": sorted(situation.exhausted),
        "trust": [
            situation.consent_is_current,
            situation.is_reachable,
            situation.wants_personalization,
            situation.uses_defaults,
            customer.personalization,
            customer.automated_decisions,
        ],
        "held_back": _refusal_to(situation.held_back),
        "values": list(map(customer.attributes.get, recorded_attributes(catalogue))),
        "groups": sorted(customer.groups & recorded_groups(catalogue)),
        "consents": [
            [c.purpose, c.channel, c.is_granted, c.at.isoformat()]
            for c in customer.consents
            if c.channel in {situation.channel, EVERY_CHANNEL} and c.purpose == MARKETING
        ],
        "flags": {
            name: _plain(value) for name in _FLAGS if (value := getattr(customer.flags, name))
        },
        "risk": [customer.risk_class, _plain(customer.risk_valid_until)],
        "complaints": [customer.complaints.open, _plain(customer.complaints.last_closed_at)],
        "suppressions": [
            [s.scope.value, s.key, s.until.isoformat(), s.code, s.channel]
            for s in customer.suppressions
            if situation.now < s.until
        ],
        "impressions": {
            action: [day.isoformat() for day in days]
            for action, days in customer.impressions.items()
        },
    }
    text = orjson.dumps({n: value for n, value in kept.items() if value not in (None, [], {}, ())})
    return text if len(text) <= PLAIN_BYTES else zlib.compress(text, level=1)


def opened(packed: bytes) -> dict[str, object]:
    """Return what `pack` kept, by name."""
    text = packed if packed.startswith(b"{") else zlib.decompress(packed)
    return cast("dict[str, object]", orjson.loads(text))


def unpack(
    catalogue: Catalogue, packed: bytes, *, customer_id: str, channel: str, direction: Direction
) -> Situation:
    """Return the situation of a record, made with the catalogue of the same version."""
    fields = Fields(opened(packed))
    trust = [bool(item) for item in fields.items("trust")]
    return Situation(
        customer=_customer(catalogue, fields, customer_id, trust),
        channel=channel,
        direction=direction,
        now=datetime.fromisoformat(fields.text("now")),
        today=date.fromisoformat(fields.text("today")),
        zone=ZoneInfo(fields.text("zone")),
        limit=fields.whole("limit"),
        seed=fields.whole("seed"),
        context=tuple((str(key), str(value)) for key, value in _rows(fields, "context")),
        exhausted=frozenset(fields.texts("exhausted")),
        consent_is_current=trust[0],
        is_reachable=trust[1],
        wants_personalization=trust[2],
        uses_defaults=trust[3],
        held_back=_refusal_from(fields),
    )


def _customer(
    catalogue: Catalogue, fields: Fields, customer_id: str, trust: Sequence[bool]
) -> Customer:
    values = cast("list[Value]", fields.items("values"))
    flags, (risk_class, valid_until) = fields.inner("flags"), fields.items("risk")
    open_complaints, closed_at = fields.items("complaints")
    return Customer(
        id=customer_id,
        features=dict(zip(recorded_attributes(catalogue), values, strict=True)),
        segments=frozenset(fields.texts("groups")),
        consents=tuple(_consent(row) for row in _rows(fields, "consents")),
        personalization=trust[4],
        automated_decisions=trust[5],
        flags=Flags(
            is_deceased=flags.flag("is_deceased"),
            is_frozen=flags.flag("is_frozen"),
            in_hardship=flags.flag("in_hardship"),
            in_collection=flags.flag("in_collection"),
            minor_until=flags.day("minor_until"),
        ),
        risk_class=cast("int | None", risk_class),
        risk_valid_until=_time(valid_until),
        complaints=Complaints(open=cast("int", open_complaints), last_closed_at=_time(closed_at)),
        suppressions=tuple(_suppression(row) for row in _rows(fields, "suppressions")),
        impressions={
            action: tuple(
                date.fromisoformat(day) for day in fields.inner("impressions").texts(action)
            )
            for action in fields.inner("impressions").names()
        },
    )


def pack_shortlist(shortlist: Sequence[Shortlisted]) -> bytes:
    """Return the shortlist as 14 bytes an item."""
    rows = [(s.place, s.propensity, s.evidence, s.probability) for s in shortlist]
    return np.array(rows, dtype=SHORTLIST).tobytes()


def unpack_shortlist(packed: bytes) -> list[Shortlisted]:
    """Return the shortlist of a record; floats come back in single precision."""
    return [Shortlisted(*row) for row in np.frombuffer(packed, dtype=SHORTLIST).tolist()]


def _rows(fields: Fields, name: str) -> list[list[object]]:
    return cast("list[list[object]]", fields.items(name))


def _consent(row: Sequence[object]) -> Consent:
    purpose, channel, is_granted, at = row
    return Consent(
        purpose=str(purpose),
        channel=str(channel),
        is_granted=bool(is_granted),
        at=datetime.fromisoformat(str(at)),
    )


def _suppression(row: Sequence[object]) -> Suppression:
    scope, key, until, code, channel = row
    return Suppression(
        scope=Scope(str(scope)),
        key=str(key),
        until=datetime.fromisoformat(str(until)),
        code=str(code),
        channel=cast("str | None", channel),
    )


def _refusal_to(refusal: Refusal | None) -> list[object] | None:
    return None if refusal is None else [int(refusal.stage), refusal.code, dict(refusal.values)]


def _refusal_from(fields: Fields) -> Refusal | None:
    if not fields.has("held_back"):
        return None
    stage, code, values = fields.items("held_back")
    return Refusal(Stage(cast("int", stage)), str(code), cast("dict[str, Value]", values))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _time(value: object) -> datetime | None:
    return None if value is None else datetime.fromisoformat(str(value))

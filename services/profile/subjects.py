"""What profile holds on a customer: shown to them, taken out, or put under seal for the law."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import asyncpg
from fastapi import Request

from services.profile.features import service as features
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.domain import KINDS
from services.profile.identifiers.service import KeyRing, key_ring
from services.profile.kyc.service import kind_of
from services.profile.relations import service as relations
from services.profile.rights import service as rights
from services.profile.settings import Settings
from services.profile.tables import METADATA
from shared.clock import BusinessClock
from shared.stores import stores_of
from shared.subjects import Effect, Holder, Rule, read_rules
from shared.subjects.holder import Row, Take
from shared.tokens import Token

SERVICE = "profile"
PURPOSE = "rights_request"


def holder(settings: Settings, clock: BusinessClock) -> Holder:
    """Return the stores of profile."""
    ring = key_ring(settings.identifier_keys.get_secret_value())
    shown = Holder(
        service=SERVICE,
        metadata=METADATA,
        rules=read_rules(SERVICE),
        decoders={
            "identifier": partial(_opened, ring, lambda row: row["kind"]),
            "source_reference": partial(_opened, ring, lambda row: row["system"]),
            "kyc_value": partial(_opened, ring, lambda row: kind_of(row["item"])),
            "restricted": _without_seal,
        },
    )
    takes = {"relation": partial(_forget_relations, clock), **_archives(shown, ring, clock)}
    return replace(shown, prepare=_lock, takes=takes, telling=(rights.ERASED,))


def holder_of(request: Request) -> Holder:
    """Return the stores as a request finds them."""
    return holder(request.app.state.settings, request.app.state.clock)


async def note_reading(
    request: Request, connection: asyncpg.Connection, customer_id: str, token: Token
) -> None:
    """Keep who was shown all that is held on a customer, identifiers in plain text (P16)."""
    await identifiers.note_reading(
        connection,
        customer_id,
        KINDS,
        purpose=PURPOSE,
        token=token,
        now=request.app.state.clock.now(),
    )


async def _lock(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> None:
    related = await relations.related_to(connection, customer_ids)
    await features.lock(connection, sorted({*customer_ids, *related}))


async def _forget_relations(
    clock: BusinessClock, connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> int:
    return await relations.forget(connection, customer_ids, clock)


def _archives(shown: Holder, ring: KeyRing, clock: BusinessClock) -> Mapping[str, Take]:
    """Return what seals away, instead of deleting, the stores that law wants kept."""
    stores = {store.name: store for store in stores_of(METADATA)}

    def archive(rule: Rule) -> Take:
        async def take(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> int:
            store = stores[rule.store]
            rows = {each: await shown.rows(connection, store, each) for each in customer_ids}
            await rights.archive(
                connection,
                ring,
                rule,
                {customer_id: found for customer_id, found in rows.items() if found},
                clock=clock,
            )
            return await shown.take(connection, store, customer_ids)

        return take

    rules = shown.rules.values()
    return {each.store: archive(each) for each in rules if each.on_erasure is Effect.RESTRICT}


def _opened(ring: KeyRing, bound_to: Callable[[Row], str], row: Row) -> Row:
    """Return a row with its value in plain text in place of the sealed one and its digest."""
    kept = {name: value for name, value in row.items() if name not in {"sealed", "digest"}}
    if row["sealed"] is None:
        return kept
    sealed = bytes.fromhex(row["sealed"].removeprefix("\\x"))
    return kept | {"value": ring.open(row["customer_id"], bound_to(row), sealed)}


def _without_seal(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "sealed"}

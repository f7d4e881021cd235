"""What strategy holds on a customer: shown to them, and taken out."""

import zlib
from collections.abc import Sequence
from dataclasses import asdict

import asyncpg
import orjson
from fastapi import Request

from services.strategy.decisions.domain.record import unpack_shortlist
from services.strategy.reservations import repository as reservations
from services.strategy.tables import METADATA
from shared.subjects import Holder, read_rules
from shared.subjects.holder import Row

SERVICE = "strategy"


def _readable(row: Row) -> Row:
    """Return a decision with what it was made from, and what was in the running, as values."""
    situation = _bytes(row["situation"])
    plain = situation if situation.startswith(b"{") else zlib.decompress(situation)
    shortlist = [asdict(each) for each in unpack_shortlist(_bytes(row["shortlist"]))]
    return row | {"situation": orjson.loads(plain), "shortlist": shortlist}


def _answer(row: Row) -> Row:
    return row | {"answer": orjson.loads(_bytes(row["answer"]))}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


async def _give_back(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> None:
    """Let go of the quota that reservations of theirs still hold."""
    await reservations.release_all(connection, customer_ids)


HOLDER = Holder(
    service=SERVICE,
    metadata=METADATA,
    rules=read_rules(SERVICE),
    prepare=_give_back,
    decoders={"decision": _readable, "decision_request": _answer},
)


def holder_of(_: Request) -> Holder:
    """Return the stores as a request finds them."""
    return HOLDER

"""What strategy holds on a customer: shown to them, and taken out."""

from dataclasses import asdict

import orjson

from services.strategy.decisions.domain.record import opened, unpack_shortlist
from services.strategy.reservations import repository as reservations
from services.strategy.tables import METADATA
from shared.subjects import Holder, read_rules
from shared.subjects.holder import Row

SERVICE = "strategy"


def _readable(row: Row) -> Row:
    """Return a decision with what it was made from, and what was in the running, as values."""
    shortlist = [asdict(each) for each in unpack_shortlist(_bytes(row["shortlist"]))]
    return row | {"situation": opened(_bytes(row["situation"])), "shortlist": shortlist}


def _answer(row: Row) -> Row:
    return row | {"answer": orjson.loads(_bytes(row["answer"]))}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


HOLDER = Holder(
    service=SERVICE,
    metadata=METADATA,
    rules=read_rules(SERVICE),
    prepare=reservations.release_all,
    decoders={"decision": _readable, "decision_request": _answer},
)

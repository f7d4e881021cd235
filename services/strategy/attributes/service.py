"""Following segment's attribute catalogue, and checking rules against it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import asyncpg

from services.strategy.attributes.domain import attribute_of
from services.strategy.entries import repository
from services.strategy.entries import service as entries
from services.strategy.entries.domain import Fields, Kind
from services.strategy.entries.service import Change
from shared.errors import FieldError, Invalid
from shared.feed import Event, Handler
from shared.rules import Catalogue, RuleError, parse

MOST_ATTRIBUTES = 5_000


class RuleMalformed(Invalid):
    code = "rule_malformed"
    title = "The rule cannot be read"


def attribute_handlers(now: Callable[[], datetime]) -> list[Handler]:
    """Return the handler of segment's attribute catalogue."""

    async def apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
        for event in events:
            await _take_over(connection, event, now())

    return [Handler(["segment.attribute_changed.v1"], apply)]


async def _take_over(connection: asyncpg.Connection, event: Event, now: datetime) -> None:
    known = await repository.find(connection, Kind.ATTRIBUTE, event.subject)
    before = dict(known.body) if known else {}
    body = {**before, **event.data}
    # what a rule can see of an attribute decides: a new label is no new catalogue
    if known is None or _seen_by_rules(before) != _seen_by_rules(body):
        author = str(event.data["owner"])
        change = Change(kind=Kind.ATTRIBUTE, key=event.subject, body=body, author=author)
        await entries.put(connection, change, if_match="*" if known else "", now=now)


def _seen_by_rules(body: Mapping[str, object]) -> tuple[str, tuple[str, ...], bool]:
    fields = Fields(body)
    return fields.text("type"), fields.texts("values"), fields.flag("deleted")


async def check_rule(connection: asyncpg.Connection, text: str | None, *, pointer: str) -> None:
    """Refuse a rule that the attribute catalogue cannot answer.

    Raises:
        RuleMalformed: naming the places and what may have been meant.
    """
    if text is None:
        return
    known = await repository.list_current(connection, Kind.ATTRIBUTE, limit=MOST_ATTRIBUTES)
    words = [(entry.key, Fields(entry.body)) for entry in known]
    catalogue = Catalogue(attribute_of(k, f) for k, f in words if not f.flag("deleted"))
    try:
        parse(text, catalogue)
    except RuleError as error:
        faults = [FieldError(pointer, str(fault)) for fault in error.errors]
        raise RuleMalformed(f"The rule cannot be read: {error}", errors=faults) from error

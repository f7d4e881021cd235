"""Making a context card: find who it is, ask profile and strategy at once, decide by the rules."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson

from gateway.contexts import domain
from gateway.contexts.domain import Card, Rules, Wanted
from gateway.customers.domain import Share
from gateway.customers.service import Fetch, shares_of
from shared.errors import FieldError, Invalid, Unavailable
from shared.statuses import KINDS

PURPOSE = "incoming_call"
PARTS = {
    "profile": ["customer", "flags", "complaints", "consents", "features", "touches", "alerts"],
    "strategy": ["restraints"],
}
LIMIT = 50


class UnknownChannel(Invalid):
    code = "unknown_channel"
    title = "There is no channel of this key"


async def card(
    fetch: Fetch,
    rules: Rules,
    wanted: Wanted,
    headers: Mapping[str, str],
    *,
    deadline_seconds: float,
    now: datetime,
) -> Card:
    """Return the card within the deadline, with what there is by then.

    Raises:
        NotFound: nobody whom the caller may see is meant.
        Conflict: a phone or a reference leads to several.
        Unavailable: profile could not be asked who is meant.
        UnknownChannel: strategy knows no such channel.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + deadline_seconds
    customer_id = wanted.customer_id or await _resolved(fetch, wanted, headers, deadline_seconds)
    shares = await shares_of(
        fetch,
        PARTS,
        customer_id,
        headers,
        limit=LIMIT,
        deadline_seconds=max(0.0, until - loop.time()),
    )
    return _decided(rules, shares, customer_id, wanted.channel or rules.channel, now)


def _decided(
    rules: Rules, shares: list[Share], customer_id: str, channel: str, now: datetime
) -> Card:
    found = {share.service: share.document for share in shares}
    profile, strategy = found["profile"], found["strategy"]
    parts = profile["parts"] if profile else {}
    restraints = strategy["parts"].get("restraints") if strategy else None
    if restraints is not None and channel not in restraints["channels"]:
        keys = ", ".join(restraints["channels"])
        errors = [FieldError("/channel", f"one of {keys}")]
        raise UnknownChannel(f"The channels are {keys}", errors=errors)
    contacts = domain.touched(parts.get("touches") or (), rules.contacts)
    facts = domain.facts_of(parts, contacts) if parts else {}
    reasons = domain.reasons_of(rules, facts, restraints, channel=channel)
    missing = [share.missing(part) for share in shares for part in PARTS[share.service]]
    return Card(
        customer_id=profile["customer_id"] if profile else customer_id,
        who=parts.get("customer"),
        mood=domain.mood_of(rules.moods, facts) if parts else None,
        last_contacts=contacts,
        talks=domain.talks_of(rules.topics, facts, reasons),
        reasons=reasons,
        alerts=(parts.get("alerts") or {"items": []})["items"],
        missing=[each for each in missing if each is not None],
        channel=channel,
        now=now,
    )


async def _resolved(
    fetch: Fetch, wanted: Wanted, headers: Mapping[str, str], deadline_seconds: float
) -> str:
    """Ask profile who bears a phone or a reference; that a phone was read stays on record."""
    sought: dict[str, Any] = {"purpose": PURPOSE}
    if wanted.phone is not None:
        sought["identifiers"] = {"phone": wanted.phone}
    if wanted.reference is not None:
        system, reference = wanted.reference
        sought["references"] = {system: reference}
    try:
        async with asyncio.timeout(deadline_seconds):
            status, body = await fetch("/v1/identities:resolve", headers, body=orjson.dumps(sought))
    except TimeoutError as error:
        raise Unavailable("Profile did not say in time who it is; try again") from error
    answer = orjson.loads(body)
    if status == HTTPStatus.OK:
        return answer["customer_id"]
    extras = {"candidates": answer["candidates"]} if "candidates" in answer else {}
    raise KINDS.get(status, Unavailable)(answer["detail"], code=answer["code"], **extras)

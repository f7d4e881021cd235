"""Merging records of one party, so that it can be undone (statement L9).

No row moves: a merged record keeps its facts, and whoever reads adds them up. What the customer
wants is another matter, because two records may disagree: the survivor then stands where the
stricter of the two stands, until the customer says more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Any, TypeAlias

from services.profile.consents.domain import (
    Channel,
    Consent,
    State,
    Statement,
    applied,
    speaks_for_all,
)
from services.profile.purposes.domain import Purpose
from shared.errors import Conflict, Invalid

STRICT: Mapping[str, bool] = {
    "personalization": False,
    "automated_decisions": False,
    "is_deceased": True,
    "is_frozen": True,
    "in_hardship": True,
    "in_collection": True,
}
"""The preferences and flags of a customer, each with the value that permits less."""


class MergedAlready(Conflict):
    code = "merged_already"
    title = "The record is part of another customer"


class NotMerged(Conflict):
    code = "not_merged"
    title = "The record is not merged into this customer"


class OneRecord(Invalid):
    code = "one_record"
    title = "A record cannot be merged into itself"


class PartiesDiffer(Conflict):
    code = "parties_differ"
    title = "Records of different party types are different parties"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """That `merged` is part of the survivor `customer_id`."""

    merge_id: str
    customer_id: str
    merged: str
    merged_at: datetime
    merged_by: str
    reason: str
    filled: Mapping[str, Any] = field(default_factory=dict[str, Any])
    undone_at: datetime | None = None
    undone_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """That a preference or flag was set."""

    name: str
    value: bool


Saying: TypeAlias = Statement | Switch


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """Where a customer stands: consents, and switches by name."""

    consents: tuple[Consent, ...] = ()
    switches: Mapping[str, bool] = field(default_factory=dict[str, bool])


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """That another record with its will became part of the customer."""

    will: Will
    at: datetime


def strictest(one: Will, other: Will) -> Will:
    """Return a will that permits only what both permit."""
    pairs = {(each.purpose, each.channel) for will in (one, other) for each in will.consents}
    wanted = pairs | {(purpose, Channel.ALL) for purpose, _ in pairs}
    consents = [
        consent
        for purpose, channel in sorted(wanted)
        if (consent := _stricter(one.consents, other.consents, purpose, channel)) is not None
    ]
    switches = {
        name: strict if strict in (one.switches[name], other.switches[name]) else not strict
        for name, strict in STRICT.items()
    }
    return Will(consents=tuple(consents), switches=switches)


def said(will: Will, saying: Saying, *, merged_at: datetime | None) -> Will:
    """Return a will after the customer, or the bank about the customer, said something."""
    if isinstance(saying, Switch):
        return replace(will, switches={**will.switches, saying.name: saying.value})
    if not speaks_for_all(saying, merged_at):
        return will
    standing = {(each.purpose, each.channel): each for each in will.consents}
    standing |= {(each.purpose, each.channel): each for each in applied(will.consents, saying)}
    return replace(will, consents=tuple(standing[key] for key in sorted(standing)))


def lived_through(own: Will, happenings: Sequence[Joined | Saying]) -> Will:
    """Return where a customer stands after records joined it and things were said, in order."""
    will, merged_at = own, None
    for happening in happenings:
        if isinstance(happening, Joined):
            will, merged_at = strictest(will, happening.will), happening.at
        else:
            will = said(will, happening, merged_at=merged_at)
    return will


def refuses(saying: Saying) -> bool:
    """Tell whether a saying permits less.

    Once a record is parted it stands as before it was merged, except for what was refused
    meanwhile: nobody knows which of the two refused it. What was permitted meanwhile stays with
    the survivor.
    """
    if isinstance(saying, Switch):
        return saying.value is STRICT[saying.name]
    return saying.state is State.WITHDRAWN


def survivors(merges: Sequence[Merge]) -> dict[str, str]:
    """Return the last survivor of every merged record, over merges in force."""
    into = {merge.merged: merge.customer_id for merge in merges}
    found: dict[str, str] = {}
    for record, survivor in into.items():
        last = survivor
        while last in into:
            last = into[last]
        found[record] = last
    return found


def permits(consents: Sequence[Consent], purpose: Purpose, channel: Channel) -> State | None:
    """Return where consents stand on a purpose and channel; None: nothing was said, which is no."""
    own = _of(consents, purpose, channel)
    general = _of(consents, purpose, Channel.ALL)
    if own is None:
        return None if general is None else general.state
    refuses = general is not None and general.state is State.WITHDRAWN and general.at >= own.at
    return State.WITHDRAWN if refuses else own.state


def _stricter(
    one: Sequence[Consent], other: Sequence[Consent], purpose: Purpose, channel: Channel
) -> Consent | None:
    states = [permits(consents, purpose, channel) for consents in (one, other)]
    if State.WITHDRAWN not in states and None in states:
        return None
    state = State.WITHDRAWN if State.WITHDRAWN in states else State.GRANTED
    spoken = [
        consent.at
        for consents, asked in product((one, other), (channel, Channel.ALL))
        if (consent := _of(consents, purpose, asked)) is not None and consent.state is state
    ]
    return Consent(purpose=purpose, channel=channel, state=state, at=max(spoken))


def _of(consents: Sequence[Consent], purpose: Purpose, channel: Channel) -> Consent | None:
    found = (each for each in consents if (each.purpose, each.channel) == (purpose, channel))
    return next(found, None)

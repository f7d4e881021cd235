"""Giving a customer a tag: what it may say, and until when it may hold."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.profile.tag_kinds.domain import RULE
from services.profile.vocabulary import TagKind
from services.profile.watch.domain import Tag
from shared.errors import Conflict, FieldError, Invalid, NotFound

State = Literal["current", "all"]
MODEL = "model"


class NoSuchTag(NotFound):
    code = "no_such_tag"


class TagFollowsRule(Conflict):
    code = "tag_follows_rule"
    title = "A rule alone sets and ends this tag"


class TagNotInUse(Conflict):
    code = "tag_not_in_use"
    title = "Nobody is given this tag any more"


class TagUnfit(Invalid):
    code = "tag_unfit"
    title = "The tag cannot say this, or not for so long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a tag is to say and rests on, and until when; None: as long as may be."""

    value: str | None = None
    until: datetime | None = None
    reference: str | None = None

    def is_said_by(self, tag: Tag) -> bool:
        """Tell whether a current tag says this already."""
        is_same = (tag.value, tag.reference) == (self.value, self.reference)
        return is_same and self.until in {None, tag.until}


def must_be_settable(kind: TagKind) -> None:
    """Refuse to touch by hand what a rule sets and ends.

    Raises:
        TagFollowsRule: it does.
    """
    if kind.source == RULE:
        raise TagFollowsRule(f"{kind.key} follows its rule; correct what the rule reads instead")


def last_moment(kind: TagKind, wanted: Wanted, *, now: datetime) -> datetime | None:
    """Return until when a tag holds that is set now; None: until it is ended.

    Raises:
        TagFollowsRule, TagNotInUse: it is not to be set.
        TagUnfit: it cannot say this, or not for so long; names each place.
    """
    must_be_settable(kind)
    if not kind.is_active:
        raise TagNotInUse(f"{kind.key} is not in use; GET /v1/tags lists what is")
    latest = None if kind.valid_days is None else now + timedelta(days=kind.valid_days)
    until = latest if wanted.until is None else wanted.until
    values = [value.key for value in kind.values]
    fits = {
        "/value": (
            wanted.value in (values or [None]),
            f"one of {', '.join(values)}" if values else "left out: it is borne or not",
        ),
        "/until": (_lies_between(until, now, latest), f"after {now} and not after {latest}"),
        "/reference": (
            kind.source != MODEL or wanted.reference is not None,
            "the run of the model that says so",
        ),
    }
    errors = [FieldError(place, says) for place, (is_fit, says) in fits.items() if not is_fit]
    if errors:
        raise TagUnfit("Mend what is named in `errors`", errors=errors)
    return until


def readable(
    kinds: Iterable[TagKind], open_groups: Collection[str], *, is_customer: bool
) -> frozenset[str]:
    """Return the keys of the kinds that a reader sees: customers those alone that are for them."""
    return frozenset(
        kind.key
        for kind in kinds
        if kind.ground in open_groups and (kind.for_customer or not is_customer)
    )


def _lies_between(until: datetime | None, now: datetime, latest: datetime | None) -> bool:
    return until is None or (now < until and (latest is None or until <= latest))

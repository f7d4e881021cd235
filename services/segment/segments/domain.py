"""Segments: named rules, drafted by one person and published by another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.segment.attributes.domain import AttributeEntry, catalogue_of, check_sensitive
from shared.errors import Conflict, FieldError, Invalid, Refused
from shared.rules import Rule, RuleError, parse


class SegmentState(StrEnum):
    """Whether the rule as written is the rule in use."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CHANGED = "changed"


class AuthorMayNotApprove(Refused):
    """What one person wrote, another publishes (B13)."""

    code = "author_may_not_approve"


class AlreadyPublished(Conflict):
    """The rule as written is the rule in use."""

    code = "already_published"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDraft:
    """What an author writes."""

    key: str
    zh: str
    en: str
    rule: str
    family: str = ""
    separate_consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(SegmentDraft):
    """A segment: the rule as written, and the rule in use once somebody has published it."""

    canonical: str
    author: str
    changed_at: datetime
    version: int = 1
    published_rule: str | None = None
    published_version: int | None = None
    published_at: datetime | None = None
    approver: str | None = None

    @property
    def state(self) -> SegmentState:
        """Whether the rule as written is the rule in use."""
        if self.published_rule is None:
            return SegmentState.DRAFT
        is_same = self.published_version == self.version
        return SegmentState.PUBLISHED if is_same else SegmentState.CHANGED


def draft(
    wanted: SegmentDraft,
    entries: Sequence[AttributeEntry],
    *,
    author: str,
    now: datetime,
    old: Segment | None = None,
) -> Segment:
    """The segment as its author now wants it; what is published stays in use.

    Raises:
        Invalid: the rule is none over the catalogue; every fault with its place.
    """
    rule = parse_rule(wanted.rule, entries)
    return Segment(
        key=wanted.key,
        zh=wanted.zh,
        en=wanted.en,
        rule=wanted.rule,
        family=wanted.family,
        separate_consent=wanted.separate_consent,
        canonical=rule.canonical,
        author=author,
        changed_at=now,
        version=old.version + 1 if old else 1,
        published_rule=old.published_rule if old else None,
        published_version=old.published_version if old else None,
        published_at=old.published_at if old else None,
        approver=old.approver if old else None,
    )


def publish(
    segment: Segment, entries: Sequence[AttributeEntry], *, approver: str, now: datetime
) -> Segment:
    """Put the rule as written into use.

    Raises:
        AlreadyPublished: it is in use.
        AuthorMayNotApprove: the approver wrote it.
        SeparateConsentRequired: it reads a sensitive attribute without the flag.
        Invalid: the catalogue has changed and the rule is none any more.
    """
    if segment.state is SegmentState.PUBLISHED:
        raise AlreadyPublished(f"Version {segment.version} of {segment.key} is in use")
    if approver == segment.author:
        raise AuthorMayNotApprove(f"{approver} wrote this version; someone else publishes it")
    rule = parse_rule(segment.rule, entries)
    check_sensitive(rule.dependencies, entries, has_separate_consent=segment.separate_consent)
    return replace(
        segment,
        canonical=rule.canonical,
        published_rule=segment.rule,
        published_version=segment.version,
        published_at=now,
        approver=approver,
    )


def parse_rule(text: str, entries: Sequence[AttributeEntry]) -> Rule:
    """The rule over this catalogue.

    Raises:
        Invalid: with every fault, its place and what may have been meant.
    """
    try:
        return parse(text, catalogue_of(entries))
    except RuleError as refused:
        raise Invalid(
            "This is no rule over the attribute catalogue",
            code="invalid_rule",
            errors=[FieldError("/rule", str(fault)) for fault in refused.errors],
            faults=[
                {
                    "code": fault.code,
                    "start": fault.start,
                    "end": fault.end,
                    "suggestion": fault.suggestion,
                }
                for fault in refused.errors
            ],
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many customers a rule would take, of those that were looked at.

    `share` is of `evaluated`; `members` is scaled up to `customers` where only a sample was
    evaluated.
    """

    as_of: datetime
    customers: int
    evaluated: int
    members: int
    share: float
    examples: tuple[str, ...]
    canonical: str
    reads: tuple[str, ...]

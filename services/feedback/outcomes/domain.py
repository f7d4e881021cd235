"""Outcomes: what came of a proposition, which reports make sense, the label they add up to."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.errors import Conflict, FieldError, Invalid, NotFound


class Behaviour(StrEnum):
    """How learning reads an outcome."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An entry of the vocabulary.

    `progress` is how far on the way to a sale, 0 for what is not on it; an outcome that `answers`
    settles its proposition; `takes` names the optional fields a report of it may carry.
    """

    key: str
    behaviour: Behaviour
    progress: int = 0
    answers: bool = False
    is_overridable: bool = False
    is_silence: bool = False
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a report's context must hold for these outcomes, channels and categories."""

    outcomes: frozenset[str]
    channels: frozenset[str]
    categories: frozenset[str]
    needs: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The outcomes, reasons and bounds a bank uses; times outside the bounds are mistakes."""

    outcomes: Mapping[str, Outcome]
    reasons: frozenset[str]
    evidence: Sequence[Evidence]
    earliest: datetime
    ahead: timedelta
    postponed: timedelta

    @property
    def silence(self) -> Outcome:
        """The outcome that stands for none."""
        return next(outcome for outcome in self.outcomes.values() if outcome.is_silence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposition:
    """What was proposed to a customer, as strategy's decision told it."""

    customer_id: str
    proposition_id: str
    decision_id: str
    channel: str
    direction: str
    decided_at: datetime
    strategy: str
    action: str
    treatment: str
    product: str | None
    category: str | None
    goal: str
    window_days: int

    @property
    def closes_at(self) -> datetime:
        """From then on silence counts as ignored."""
        return self.decided_at + timedelta(days=self.window_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One outcome as it was reported; `customer` is whom the reporting token was bound to."""

    outcome_id: str
    proposition_id: str
    outcome: str
    occurred_at: datetime
    recorded_at: datetime
    reason: str | None = None
    amount: Decimal | None = None
    until: datetime | None = None
    context: Mapping[str, object] = field(default_factory=dict[str, object])
    customer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOutcome:
    """A report joined with its proposition."""

    report: Report
    proposition: Proposition
    behaviour: Behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One outcome of a proposition, as far as its label needs it."""

    outcome: str
    occurred_at: datetime


class OutcomeDiffers(Conflict):
    code = "outcome_differs"
    title = "This outcome was reported before, with other content"


class EvidenceMissing(Invalid):
    code = "evidence_missing"
    title = "This sale counts only with its evidence"


def outcome_id(proposition_id: str, outcome: str, occurred_at: datetime | None) -> str:
    """Return the id of an outcome reported without one.

    The same report gives the same id, so that sending it again changes nothing; without a time
    a proposition has each outcome at most once.
    """
    instant = "" if occurred_at is None else str(occurred_at.timestamp())
    text = "\n".join((proposition_id, outcome, instant))
    return f"o_{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def faults(report: Report, vocabulary: Vocabulary, *, now: datetime) -> list[FieldError]:
    """Return what makes a report senseless; pointers are relative to it.

    Times may lie at most `vocabulary.ahead` after `now` and not before `vocabulary.earliest`.
    """
    outcome = vocabulary.outcomes.get(report.outcome)
    if outcome is None:
        known = ", ".join(vocabulary.outcomes)
        return [FieldError("/outcome", f"unknown outcome; known: {known}")]
    return [
        *_wrong_times(report, vocabulary, now),
        *_wrong_fields(report, outcome),
        *_wrong_reason(report, vocabulary),
    ]


def _wrong_times(report: Report, vocabulary: Vocabulary, now: datetime) -> Iterable[FieldError]:
    if report.occurred_at > now + vocabulary.ahead:
        yield FieldError("/occurred_at", f"lies in the future; it is {now.isoformat()}")
    if report.occurred_at < vocabulary.earliest:
        yield FieldError("/occurred_at", f"lies before {vocabulary.earliest.isoformat()}")
    if report.until is not None:
        if report.until <= report.occurred_at:
            yield FieldError("/until", "must lie after the outcome itself")
        elif report.until > report.occurred_at + vocabulary.postponed:
            yield FieldError("/until", f"lies more than {vocabulary.postponed.days} days ahead")


def _wrong_fields(report: Report, outcome: Outcome) -> Iterable[FieldError]:
    given = {"until": report.until, "amount": report.amount}
    for name, value in given.items():
        if value is None and name in outcome.needs:
            yield FieldError(f"/{name}", f"{outcome.key} needs it")
        if value is not None and name not in outcome.takes:
            yield FieldError(f"/{name}", f"{outcome.key} takes none")


def _wrong_reason(report: Report, vocabulary: Vocabulary) -> Iterable[FieldError]:
    if report.reason is not None and report.reason not in vocabulary.reasons:
        yield FieldError("/reason", f"unknown; known: {', '.join(sorted(vocabulary.reasons))}")


def check_repeat(report: Report, before: Report, *, pointer: str) -> None:
    """Let the same report pass again.

    Raises:
        OutcomeDiffers: if its id stands for something else.
    """
    same = (
        report.proposition_id == before.proposition_id
        and report.outcome == before.outcome
        and report.reason == before.reason
        and report.amount == before.amount
        and report.until == before.until
    )
    if not same:
        raise OutcomeDiffers(
            f"{report.outcome_id} was reported before, with other content; what happened since is "
            "an outcome of its own, with another id",
            errors=[FieldError(f"{pointer}/outcome_id", "stands for another outcome")],
        )


def check_link(
    report: Report, proposition: Proposition, vocabulary: Vocabulary, *, pointer: str = ""
) -> None:
    """Check what can be checked only once the proposition is known.

    Raises:
        NotFound: a token bound to one customer reports on another's proposition.
        EvidenceMissing: the sale needs evidence that the context does not hold.
    """
    if report.customer not in {None, proposition.customer_id}:
        raise no_proposition(report.proposition_id)
    missing = sorted(
        name
        for rule in vocabulary.evidence
        if report.outcome in rule.outcomes
        and proposition.channel in rule.channels
        and proposition.category in rule.categories
        for name in rule.needs
        if not report.context.get(name)
    )
    if missing:
        raise EvidenceMissing(
            f"A {proposition.category} sale in {proposition.channel} counts as {report.outcome} "
            f"only with {' and '.join(missing)}",
            errors=[FieldError(f"{pointer}/context/{name}", "missing") for name in missing],
        )


def no_proposition(proposition_id: str) -> NotFound:
    """The error of a proposition that does not exist for this caller."""
    return NotFound(f"No proposition {proposition_id}", code="unknown_proposition")


def final_label(reactions: Sequence[Reaction], outcomes: Mapping[str, Outcome]) -> str | None:
    """Return the one outcome a proposition stands for; None while nothing has settled it.

    The furthest positive, unless it is overridable (a click) and a refusal came at the same time
    or later. Without a positive the latest answer, at one moment a refusal before the others.
    Silence counts only without any answer. The order of `reactions` does not matter: late ones
    restate the label.

    Source: decisioning mechanics section 4.
    """
    positives = [r for r in reactions if outcomes[r.outcome].progress]
    others = [
        r for r in reactions if outcomes[r.outcome].answers and not outcomes[r.outcome].progress
    ]
    refusals = [r for r in others if outcomes[r.outcome].behaviour is Behaviour.NEGATIVE]
    if positives:
        furthest = max(positives, key=lambda r: (outcomes[r.outcome].progress, r.occurred_at))
        later = [r for r in refusals if r.occurred_at >= furthest.occurred_at]
        if later and outcomes[furthest.outcome].is_overridable:
            return _latest(later, outcomes)
        return furthest.outcome
    return _latest(others, outcomes) or _latest(
        [r for r in reactions if outcomes[r.outcome].is_silence], outcomes
    )


def _latest(reactions: Sequence[Reaction], outcomes: Mapping[str, Outcome]) -> str | None:
    def order(reaction: Reaction) -> tuple[datetime, bool, str]:
        is_refusal = outcomes[reaction.outcome].behaviour is Behaviour.NEGATIVE
        return reaction.occurred_at, is_refusal, reaction.outcome

    return max(reactions, key=order).outcome if reactions else None


def silence_of(proposition: Proposition, vocabulary: Vocabulary, *, now: datetime) -> Report:
    """Return the outcome of a proposition whose window has passed without an answer."""
    outcome = vocabulary.silence.key
    return Report(
        outcome_id=outcome_id(proposition.proposition_id, outcome, None),
        proposition_id=proposition.proposition_id,
        outcome=outcome,
        occurred_at=proposition.closes_at,
        recorded_at=now,
    )

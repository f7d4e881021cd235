"""Cool-offs: what an answer stops us from offering, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Scope(StrEnum):
    """How much one suppression silences."""

    ALL = "all"
    CHANNEL = "channel"
    CATEGORY = "category"
    PRODUCT = "product"
    ACTION = "action"
    TREATMENT = "treatment"


class End(StrEnum):
    """What ends a suppression.

    `after_days` a stated number of days; `reported` the date the customer gave; `lifted` the
    customer alone; `closed` so many days after the complaint, which profile tells us: the days
    after the outcome are only the least.
    """

    AFTER_DAYS = "after_days"
    REPORTED = "reported"
    LIFTED = "lifted"
    CLOSED = "closed"


NO_END_OF_ITS_OWN = timedelta(days=36_500)  # lifted by the customer; `until` is mandatory


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One silence: `key` names the channel, category … of the scope and is empty for `all`.

    `channel` narrows it to one channel, None: every channel; `code` is the outcome behind it.
    """

    scope: Scope
    key: str
    until: datetime
    code: str
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolOff:
    """One rule of the contact policy.

    When the outcome has happened `count` times within `within_days` (this one included) in the
    same scope, the scope is silent for `days`: whole days of the customer's calendar after the
    day of the outcome, or, if not `is_calendar`, that many times 24 hours. `same_channel`: only
    in the channel of the answer.
    """

    outcome: str
    scope: Scope
    days: int = 0
    count: int = 1
    within_days: int = 1
    reason: str | None = None
    same_channel: bool = False
    end: End = End.AFTER_DAYS
    is_calendar: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the customer answered to one proposition, as far as cool-offs need it."""

    outcome_id: str
    outcome: str
    occurred_at: datetime
    reason: str | None
    channel: str
    action: str
    treatment: str
    product: str | None
    category: str | None
    until: datetime | None = None

    def key_of(self, scope: Scope) -> str | None:
        """Name what the answer was about at this scope; None if it has no such thing."""
        keys = {
            Scope.ALL: "",
            Scope.CHANNEL: self.channel,
            Scope.CATEGORY: self.category,
            Scope.PRODUCT: self.product,
            Scope.ACTION: self.action,
            Scope.TREATMENT: self.treatment,
        }
        return keys[scope]


def suppressions_of(
    answer: Answer, history: Sequence[Answer], rules: Sequence[CoolOff], *, zone: ZoneInfo
) -> list[Suppression]:
    """Return what one answer silences.

    A rule whose scope the answer does not have (an action without product) falls back to the
    action, so that a refusal is never without effect.

    Args:
        answer: the new answer.
        history: the customer's answers, this one included or not, in any order.
        rules: the contact policy's cool-offs.
        zone: the customer's zone, by which calendar days are counted.

    Source: domain details section 10, cool-off.
    """
    found: list[Suppression] = []
    for rule in rules:
        scope = rule.scope if answer.key_of(rule.scope) is not None else Scope.ACTION
        until = _until(rule, answer, zone)
        if (
            _speaks_of(rule, answer)
            and until is not None
            and _count(answer, history, rule, scope) >= rule.count
        ):
            found.append(
                Suppression(
                    scope=scope,
                    key=answer.key_of(scope) or "",
                    until=until,
                    code=answer.outcome,
                    channel=answer.channel if rule.same_channel else None,
                )
            )
    return found


def _speaks_of(rule: CoolOff, answer: Answer) -> bool:
    return rule.outcome == answer.outcome and rule.reason in {None, answer.reason}


def _count(answer: Answer, history: Sequence[Answer], rule: CoolOff, scope: Scope) -> int:
    key, since = answer.key_of(scope), answer.occurred_at - timedelta(days=rule.within_days)
    others = {
        past.outcome_id
        for past in history
        if _speaks_of(rule, past)
        and past.key_of(scope) == key
        and since <= past.occurred_at <= answer.occurred_at
    }
    return len(others | {answer.outcome_id})


def _until(rule: CoolOff, answer: Answer, zone: ZoneInfo) -> datetime | None:
    if rule.end is End.REPORTED:
        return answer.until
    if rule.end is End.LIFTED:
        return answer.occurred_at + NO_END_OF_ITS_OWN
    if not rule.is_calendar:
        return answer.occurred_at + timedelta(days=rule.days)
    return end_of_rest(answer.occurred_at, days=rule.days, zone=zone)


def end_of_rest(since: datetime, *, days: int, zone: ZoneInfo) -> datetime:
    """Return the midnight that ends `days` whole calendar days after the day of `since`."""
    last_day = since.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=zone)

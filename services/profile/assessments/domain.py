"""Risk assessments: who is suited for which product (statements B4, B5, B6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.errors import Conflict, Invalid, Refused

AHEAD = timedelta(minutes=5)
YEAR = timedelta(days=365)


class TooManyAssessments(Refused):
    code = "too_many_assessments"
    title = "The customer has answered the questionnaire too often"


class StaffMayNotAssess(Refused):
    code = "staff_may_not_assess"
    title = "Only the customer answers the questionnaire"


class AssessmentAhead(Invalid):
    code = "assessment_ahead"
    title = "An assessment cannot lie in the future"


class AssessmentKnown(Conflict):
    code = "assessment_known"
    title = "An assessment of this instant is recorded already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often a customer may answer."""

    a_day: int
    a_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One questionnaire answered: C1–C5, valid for 12 months."""

    risk_class: int
    assessed_at: datetime
    valid_until: datetime
    questionnaire_version: str
    submitted_by: str


def valid_until(assessed_at: datetime) -> datetime:
    """Return the same day 12 months later; 29 February expires on the 28th."""
    try:
        return assessed_at.replace(year=assessed_at.year + 1)
    except ValueError:
        return assessed_at.replace(year=assessed_at.year + 1, day=28)


def check_limits(
    earlier: Sequence[datetime], assessed_at: datetime, *, limits: Limits, zone: ZoneInfo
) -> None:
    """Refuse one assessment too many within its day of the bank, or within the year before it.

    Raises:
        TooManyAssessments: says which limit was reached.

    Source: statement B4.
    """
    day = assessed_at.astimezone(zone).date()
    if sum(each.astimezone(zone).date() == day for each in earlier) >= limits.a_day:
        raise TooManyAssessments(f"At most {limits.a_day} assessments a day")
    if sum(assessed_at - YEAR < each <= assessed_at for each in earlier) >= limits.a_year:
        raise TooManyAssessments(f"At most {limits.a_year} assessments in 12 months")


def check_submission(actor: str | None, assessed_at: datetime, now: datetime) -> None:
    """Refuse answers given by staff, and answers of a time that has not come.

    Raises:
        StaffMayNotAssess: a member of staff stands behind the call (B6).
        AssessmentAhead: says when it is now.
    """
    if actor is not None:
        raise StaffMayNotAssess("A member of staff cannot answer or change a customer's assessment")
    if assessed_at > now + AHEAD:
        raise AssessmentAhead(f"assessed_at {assessed_at} lies ahead of {now}")

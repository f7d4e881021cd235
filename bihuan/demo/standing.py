"""What customers allowed, how they were assessed and what they complained about."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.random import Generator

from bihuan.demo import calendar
from bihuan.demo.people import Flags, Floats, Ints, People

TEXT_VERSION = "2025-01"
EVIDENCE = ("app:consent-page", "branch:signed-form")
# Share asked, share of those who granted, share of those who withdrew it later.
CONSENTS = {
    "marketing": (0.93, 0.90, 0.06),
    "profiling": (0.92, 0.93, 0.03),
    "personalization": (0.92, 0.92, 0.04),
    "third_party_sharing": (0.70, 0.35, 0.10),
}
ASSESSED_SHARE = 0.78
COMPLAINT_SHARE = 0.012
COMPLAINTS = ("service", "fee", "product", "channel", "fraud")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint, to be opened by API, and closed again if it was settled."""

    customer_id: str
    complaint_id: str
    category: str
    is_closed: bool


def consents_frame(people: People, as_of: datetime, rng: Generator) -> pl.DataFrame:
    """Per customer and purpose: nothing, a grant, a refusal, or a grant and its withdrawal."""
    parts = [_purpose(people, purpose, as_of, rng) for purpose in CONSENTS]
    return pl.concat(parts).sort("customer_id", "at", "purpose", maintain_order=True)


def _purpose(people: People, purpose: str, as_of: datetime, rng: Generator) -> pl.DataFrame:
    asked, granted, withdrew = CONSENTS[purpose]
    n = len(people)
    is_asked, is_granted, is_withdrawn = (rng.random(n) < p for p in (asked, granted, withdrew))
    since = np.minimum(people.tenure, 900)
    first = _consent_rows(people, is_asked, purpose, granted=is_granted, days=since, as_of=as_of)
    taken_back = is_asked & is_granted & is_withdrawn & (since > 10)
    later = (since * rng.random(n) * 0.8).astype(np.int64)
    none = np.zeros(n, dtype=np.bool_)
    last = _consent_rows(people, taken_back, purpose, granted=none, days=later, as_of=as_of)
    return pl.concat([first, last])


def _consent_rows(
    people: People, where: Flags, purpose: str, *, granted: Flags, days: Ints, as_of: datetime
) -> pl.DataFrame:
    at = calendar.moments(as_of, days, 9 + people.number % 8 + 0.5)
    state = np.where(granted, "granted", "withdrawn")
    evidence = np.where(people.digital > 0.4, *EVIDENCE)
    return pl.DataFrame(
        {
            "customer_id": people.ids,
            "purpose": purpose,
            "channel": "all",
            "state": state,
            "text_version": TEXT_VERSION,
            "at": pl.Series(at).cast(pl.Datetime("us", "UTC")),
            "evidence": evidence,
        }
    ).filter(where)


def assessments_frame(people: People, as_of: datetime, rng: Generator) -> pl.DataFrame:
    """C1–C5 by age and wealth; about one in four is older than its twelve months."""
    n = len(people)
    appetite = 2.6 + 0.25 * np.clip(people.affluence, -2, 4) - 0.5 * people.years
    risk_class = np.clip(np.round(appetite + rng.normal(0, 0.8, n)), 1, 5).astype(np.int64)
    days = np.minimum((rng.random(n) * 480).astype(np.int64), people.tenure)
    at = calendar.moments(as_of, days, calendar.office_hours(n, rng))
    frame = pl.DataFrame(
        {
            "customer_id": people.ids,
            "risk_class": risk_class,
            "assessed_at": pl.Series(at).cast(pl.Datetime("us", "UTC")),
            "questionnaire_version": TEXT_VERSION,
        }
    )
    adult = people.is_person & (people.age >= 18) & ~people.is_prospect
    return frame.filter(adult & (rng.random(n) < ASSESSED_SHARE))


def draw_complaints(people: People, rng: Generator) -> list[Complaint]:
    """Few customers complain, those drawn to another bank three times as often."""
    chance: Floats = COMPLAINT_SHARE * np.exp(0.8 * people.pull - 0.3)
    who = np.flatnonzero((rng.random(len(people)) < chance) & ~people.is_prospect)
    about = rng.integers(0, len(COMPLAINTS), len(who))
    closed = rng.random(len(who)) < 0.4
    ids = people.ids.gather(who).to_list()
    return [
        Complaint(customer_id, f"{customer_id}-complaint", COMPLAINTS[kind], bool(is_closed))
        for customer_id, kind, is_closed in zip(ids, about, closed, strict=True)
    ]

"""How often, when and in which order customers are contacted: data of the contact policy."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from services.strategy.channels.domain import Manner
from services.strategy.entries.domain import Fields
from services.strategy.suppressions.domain import CoolOff, End, Scope

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """Most contacts over a set of channels (empty: all channels together).

    Any of the three may be None, without limit: `per_day` counts the calendar day of the
    customer's zone, the others roll. `per_person` counts those of one contact person only.
    """

    key: str
    channels: frozenset[str] = frozenset()
    per_day: int | None = None
    per_7_days: int | None = None
    per_30_days: int | None = None
    per_person: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """Seconds of the day [start, end), at most 86,400; not after the start: the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When one manner of contact is silent, on working days and on days of rest."""

    working_days: tuple[Period, ...] = ()
    rest_days: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays:
    """Days off and week-ends worked instead (调休), for the years that are listed."""

    country: str = "CN"
    years: frozenset[int] = frozenset()
    days_off: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPolicy:
    """The whole policy.

    `company_caps` take the place of `caps` for companies; `lock_days` keep other channels off the
    same customer and strategy; `complaint_rest_days` follow a closed complaint; a reservation that
    is neither confirmed nor released expires after `reservation_minutes` and keeps counting.
    """

    key: str = "default"
    zh: str = ""
    en: str = ""
    caps: tuple[Cap, ...] = ()
    company_caps: tuple[Cap, ...] = ()
    quiet_hours: Mapping[Manner, QuietHours] = field(default_factory=dict[Manner, QuietHours])
    cool_offs: tuple[CoolOff, ...] = ()
    complaint_rest_days: int = 90
    lock_days: int = 7
    reservation_minutes: int = 60
    holidays: Holidays = field(default_factory=Holidays)


def is_working_day(holidays: Holidays, day: date, *, statutory: Collection[date]) -> bool:
    """Tell whether a day is worked.

    Args:
        holidays: the policy's own calendar; it decides about its years.
        day: a calendar day.
        statutory: days off of the country, asked for years that the policy does not list.
    """
    if day.year in holidays.years:
        return day in holidays.worked or (day.weekday() < 5 and day not in holidays.days_off)
    return day.weekday() < 5 and day not in statutory


def contact_policy_of(key: str, fields: Fields) -> ContactPolicy:
    """Read a contact policy from its catalogue entry."""
    cool_offs = tuple(_cool_off_of(rule) for rule in fields.each("cool_off"))
    return ContactPolicy(
        key=key,
        zh=fields.text("zh"),
        en=fields.text("en"),
        caps=tuple(_cap_of(cap) for cap in fields.each("caps")),
        company_caps=tuple(_cap_of(cap) for cap in fields.each("company_caps")),
        quiet_hours=_quiet_hours_of(fields),
        cool_offs=cool_offs,
        complaint_rest_days=next(
            (rule.days for rule in cool_offs if rule.outcome == "complaint"), 90
        ),
        lock_days=fields.inner("lock").whole("days", 7),
        reservation_minutes=fields.whole("reservation_minutes", 60),
        holidays=_holidays_of(fields.inner("holidays")),
    )


def _cap_of(fields: Fields) -> Cap:
    return Cap(
        key=fields.text("key"),
        channels=frozenset(fields.texts("channels")),
        per_day=fields.whole_or_none("day"),
        per_7_days=fields.whole_or_none("rolling_7d"),
        per_30_days=fields.whole_or_none("rolling_30d"),
        per_person=fields.text("per", "customer") == "contact_person",
    )


def _quiet_hours_of(fields: Fields) -> dict[Manner, QuietHours]:
    periods: dict[tuple[Manner, str], list[Period]] = {}
    for part in fields.each("quiet_hours"):
        place = (Manner(part.text("kind")), part.text("days"))
        period = Period(_seconds(part.text("from")), _seconds(part.text("until")))
        periods.setdefault(place, []).append(period)
    return {
        manner: QuietHours(
            working_days=tuple(periods.get((manner, "working"), ())),
            rest_days=tuple(periods.get((manner, "rest"), ())),
        )
        for manner in {manner for manner, _ in periods}
    }


def _seconds(text: str) -> int:
    """Read `HH:MM` or `HH:MM:SS`; `24:00` is the end of the day."""
    if text == "24:00":
        return DAY_SECONDS
    clock = time.fromisoformat(text)
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _cool_off_of(fields: Fields) -> CoolOff:
    return CoolOff(
        outcome=fields.text("outcome"),
        reason=fields.text_or_none("reason"),
        scope=Scope(fields.text("scope")),
        same_channel=fields.text("channel", "all") == "same",
        count=fields.whole("count", 1),
        within_days=fields.whole("window_days", 1),
        days=fields.whole("suppress_days") if fields.has("suppress_days") else 0,
        end=End(fields.text("until")) if fields.has("until") else End.AFTER_DAYS,
        is_calendar=fields.flag("calendar", default=True),
    )


def _holidays_of(fields: Fields) -> Holidays:
    years = fields.each("years")
    periods = [period for year in years for period in year.each("periods")]
    return Holidays(
        country=fields.text("country", "CN"),
        years=frozenset(year.whole("year") for year in years),
        days_off=frozenset(day for period in periods for day in _days_of(period)),
        worked=frozenset(date.fromisoformat(d) for p in periods for d in p.texts("worked")),
    )


def _days_of(period: Fields) -> Iterator[date]:
    day, last = period.day("from"), period.day("until")
    while day is not None and last is not None and day <= last:
        yield day
        day += timedelta(days=1)

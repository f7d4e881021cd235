"""Who the customers are: what the bank knows of them, and what only the generator knows."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from bihuan.demo import calendar, design, names
from bihuan.demo.ids import customer_id

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """One array an attribute, one entry a customer; days count back from the as-of day."""

    number: Ints
    party: Ints
    is_prospect: Flags
    age: Ints
    is_woman: Flags
    occupation: Ints
    industry: Ints
    income: Floats  # CNY a year; turnover of businesses
    wealth: Floats  # ln of target AUM in CNY
    digital: Floats  # share of contacts on the app
    city: Ints
    branch: Ints
    source: Ints
    tenure: Ints
    pattern: Ints
    stopped: Ints  # last activity, days ago
    has_salary: Flags
    has_pension: Flags
    pull: Floats  # hidden
    salary_elsewhere: Flags  # hidden
    churn_logit: Floats  # true, of the next 90 days

    def __len__(self) -> int:
        return len(self.number)

    @property
    def is_person(self) -> Flags:
        return self.party == design.PERSON

    @property
    def is_company(self) -> Flags:
        return self.party == design.COMPANY

    @property
    def is_managed(self) -> Flags:
        """Has a relationship manager: the affluent and the companies."""
        return ((self.wealth > np.log(300_000)) | self.is_company) & ~self.is_prospect

    @property
    def years(self) -> Floats:
        return np.where(self.is_person, (self.age - 45) / 15, 0.0)

    @property
    def affluence(self) -> Floats:
        return self.wealth - 10

    @property
    def ids(self) -> pl.Series:
        return customer_ids(self.number)


def customer_ids(number: Ints) -> pl.Series:
    return pl.Series([customer_id(each) for each in number.tolist()], dtype=pl.String)


def draw_people(number: Ints, rng: Generator) -> People:
    """Customers of the given numbers; the same generator state gives the same customers."""
    n = len(number)
    party = rng.choice(3, n, p=design.PARTY_SHARES)
    is_person = party == design.PERSON
    age = np.clip(18 + rng.gamma(2.6, 11.5, n), 16, 92).astype(np.int64)
    occupation = _occupation(age, rng)
    income = _income(party, occupation, rng)
    wealth = _wealth(party, age, income, rng)
    digital = np.clip(rng.beta(3.2, 1.4, n) - np.clip(age - 50, 0, 40) * 0.011, 0.03, 0.99)
    pull = rng.standard_normal(n)
    salary_elsewhere = is_person & (rng.random(n) < design.SALARY_ELSEWHERE_SHARE)
    risk = _churn_logit(is_person & (age < 35), pull, salary_elsewhere, digital, wealth)
    pattern = _pattern(risk, rng)
    stopped = _stopped(pattern, rng)
    return People(
        number=number,
        party=party,
        is_prospect=(pattern == design.STEADY)
        & (rng.random(n) < design.PROSPECT_SHARE / design.HABITS[design.STEADY].share),
        age=age,
        is_woman=rng.random(n) < 0.51,
        occupation=occupation,
        industry=rng.integers(0, len(design.INDUSTRIES), n),
        income=income,
        wealth=wealth,
        digital=digital,
        city=rng.choice(len(design.CITIES), n, p=design.CITY_SHARES),
        branch=rng.integers(1, design.BRANCHES_PER_CITY + 1, n),
        source=rng.choice(len(design.SOURCES), n, p=design.SOURCE_SHARES),
        tenure=_tenure(pattern, stopped, age, rng),
        pattern=pattern,
        stopped=stopped,
        has_salary=is_person & ~salary_elsewhere & (rng.random(n) < _payroll(occupation)),
        has_pension=is_person
        & (occupation == design.OCCUPATIONS.index("retired"))
        & (rng.random(n) < design.PENSION_SHARE),
        pull=pull,
        salary_elsewhere=salary_elsewhere,
        churn_logit=risk + design.CHURN.recent_stop * np.clip(stopped / 90, 0, 2),
    )


def _occupation(age: Ints, rng: Generator) -> Ints:
    student, retired = (design.OCCUPATIONS.index(name) for name in ("student", "retired"))
    working = rng.choice(len(design.OCCUPATIONS), len(age), p=design.EARNERS)
    young = np.where((age < 23) & (rng.random(len(age)) < 0.75), student, working)
    return np.where((age >= 60) & (rng.random(len(age)) < 0.85), retired, young)


def _income(party: Ints, occupation: Ints, rng: Generator) -> Floats:
    median = 1000.0 * np.array([design.INCOME[name] for name in design.OCCUPATIONS])
    person = median[occupation] * rng.lognormal(0, 0.45, len(party))
    firm = np.where(party == design.COMPANY, 3e7, 1.6e6) * rng.lognormal(0, 1.2, len(party))
    return np.round(np.where(party == design.PERSON, person, firm), -2)


def _wealth(party: Ints, age: Ints, income: Floats, rng: Generator) -> Floats:
    mean, sigma = np.array([design.WEALTH[key] for key in sorted(design.WEALTH)])[party].T
    drawn = mean + sigma * rng.standard_normal(len(party))
    person = drawn + 0.35 * np.log(income / 80_000) + 0.018 * (np.clip(age, 18, 75) - 42)
    rich = rng.normal(*design.RICH, len(party))
    is_rich = (rng.random(len(party)) < design.RICH_SHARE) & (age >= 25)
    return np.where(party != design.PERSON, drawn, np.where(is_rich, rich, person))


def _churn_logit(
    is_young: Flags, pull: Floats, salary_elsewhere: Flags, digital: Floats, wealth: Floats
) -> Floats:
    churn = design.CHURN
    return (
        churn.base
        + churn.pull * pull
        + churn.young_salary_elsewhere * (is_young & salary_elsewhere)
        + churn.branch_habit * (0.5 - digital)
        + churn.wealth * (wealth - 10)
    )


def _pattern(risk: Floats, rng: Generator) -> Ints:
    standard = (risk - design.CHURN.base) / abs(design.CHURN.pull)
    shares, pulls = (np.array([getattr(h, f) for h in design.HABITS]) for f in ("share", "pull"))
    odds = shares * np.exp(pulls * standard[:, None] - pulls**2 / 2)
    ladder = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    return (rng.random(len(risk))[:, None] > ladder[:, :-1]).sum(axis=1)


def _stopped(pattern: Ints, rng: Generator) -> Ints:
    low, high = np.array([habit.stopped for habit in design.HABITS])[pattern].T
    return rng.integers(low, high)


def _tenure(pattern: Ints, stopped: Ints, age: Ints, rng: Generator) -> Ints:
    n = len(pattern)
    grown = np.maximum(120, (age - 15) * 365)
    settled = np.minimum(95 + rng.exponential(1900, n).astype(np.int64), grown)
    known = np.maximum(settled, stopped + 60)
    return np.where(pattern == design.NEW, rng.integers(2, 91, n), known)


def _payroll(occupation: Ints) -> Floats:
    return np.array([design.PAYROLL_SHARE.get(name, 0.0) for name in design.OCCUPATIONS])[
        occupation
    ]


def customers_frame(people: People, as_of: datetime, rng: Generator) -> pl.DataFrame:
    """The customers as the bank wrote them down, in the columns of the import; money in fen."""
    n = len(people)
    person, firm = people.is_person, ~people.is_person
    born = calendar.dates(as_of, (people.age * 365.25).astype(np.int64) + rng.integers(1, 364, n))
    minors = np.where((people.age > 26) & (people.age < 52), rng.binomial(2, 0.42, n), 0)
    local = rng.random(n) < 0.66
    owner = np.isin(people.occupation, _codes(design.OCCUPATIONS, "business_owner"))
    return pl.DataFrame(
        {
            "customer_id": people.ids,
            "party_type": _pick(design.PARTY_TYPES, people.party),
            "name": _names(people, rng),
            "birth_date": _only(person, born),
            "gender": _only(person, pl.Series(np.where(people.is_woman, "female", "male"))),
            "occupation": _only(person, _pick(design.OCCUPATIONS, people.occupation)),
            "income_year": _only(person, _fen(people.income)),
            "residence_area": _only(
                person, pl.Series(np.where(_is_rural(people, rng), "rural", "urban"))
            ),
            "local_hukou": _only(person, pl.Series(local)),
            "local_hukou_years": _only(
                person & local, pl.Series(np.minimum(people.age, rng.integers(0, 50, n)))
            ),
            "resident_here": _only(person, pl.Series(rng.random(n) < 0.94)),
            "minor_children": _only(person, pl.Series(minors)),
            "has_car": _only(person, pl.Series(rng.random(n) < _car_share(people))),
            "is_business_owner": _only(person, pl.Series(owner)),
            "acquisition_source": _pick(design.SOURCES, people.source),
            "acquisition_cost": _only(
                ~people.is_prospect, _fen(np.array(design.SOURCE_COST, float)[people.source])
            ),
            "wechat_friend": rng.random(n) < 0.2 + 0.35 * people.is_managed,
            "qualified_investor": _only(person, pl.Series(people.wealth > np.log(5_000_000))),
            "industry": _only(firm, _pick(design.INDUSTRIES, people.industry)),
            "enterprise_size": _only(firm, _enterprise_size(people.income)),
            "credit_rating": _only(
                people.is_company, _draw(("AAA", "AA", "A", "BBB", "BB"), n, rng)
            ),
            "tax_rating": _only(firm, _draw(("A", "B", "M", "C", "D"), n, rng)),
            "declared_turnover": _only(firm, _fen(people.income)),
            "time_zone": _zones(people.city),
            "org_path": _org_paths(people),
            "rm_id": _only(people.is_managed, _managers(people)),
        }
    )


def _names(people: People, rng: Generator) -> pl.Series:
    person = names.people(people.is_woman, rng)
    industry = np.array(design.INDUSTRIES)[people.industry]
    shop, company = (names.firms(industry, end, rng) for end in ("经营部", "有限公司"))
    return (
        pl.DataFrame({"person": person, "shop": shop, "company": company, "party": people.party})
        .select(
            pl.when(pl.col("party") == design.PERSON)
            .then("person")
            .when(pl.col("party") == design.COMPANY)
            .then("company")
            .otherwise("shop")
        )
        .to_series()
    )


def _is_rural(people: People, rng: Generator) -> Flags:
    farmer = np.isin(people.occupation, _codes(design.OCCUPATIONS, "farmer"))
    return rng.random(len(people)) < np.where(farmer, 0.9, 0.12)


def _car_share(people: People) -> Floats:
    return np.clip(0.15 + 0.12 * np.log(people.income / 40_000), 0.02, 0.85)


def _enterprise_size(turnover: Floats) -> pl.Series:
    step = np.searchsorted([1e6, 2e7, 4e8], turnover)
    return _pick(("micro", "small", "medium", "large"), step)


def _zones(city: Ints) -> pl.Series:
    away = city == design.CITIES.index("urumqi")
    return pl.Series(np.where(away, "Asia/Urumqi", "Asia/Shanghai"))


def _org_paths(people: People) -> pl.Series:
    city, branch = _pick(design.CITIES, people.city), pl.Series(people.branch).cast(pl.String)
    return "bank/" + city + "/" + city + "-" + branch.str.zfill(2)


def _managers(people: People) -> pl.Series:
    city, branch = _pick(design.CITIES, people.city), pl.Series(people.branch).cast(pl.String)
    seat = pl.Series(people.number % 4 + 1).cast(pl.String)
    return "rm-" + city + "-" + branch.str.zfill(2) + "-" + seat


def _codes(words: tuple[str, ...], *wanted: str) -> list[int]:
    return [words.index(word) for word in wanted]


def _pick(words: tuple[str, ...], codes: Ints) -> pl.Series:
    return pl.Series(words).gather(codes)


def _draw(words: tuple[str, ...], n: int, rng: Generator) -> pl.Series:
    return _pick(words, np.minimum(rng.geometric(0.4, n) - 1, len(words) - 1))


def _fen(yuan: Floats) -> pl.Series:
    return pl.Series(np.round(yuan * 100).astype(np.int64))


def _only(where: Flags, values: pl.Series) -> pl.Series:
    """`values` where the mask holds, else null."""
    return values.set(pl.Series(~where), None)

"""Customers: persons, small businesses and companies; without an account, prospects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from shared.errors import FieldError, Gone, Invalid, NotFound


class PartyType(StrEnum):
    PERSON = "person"
    SMALL_BUSINESS = "small_business"
    COMPANY = "company"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class Occupation(StrEnum):
    EXECUTIVE = "executive"
    PROFESSIONAL = "professional"
    CIVIL_SERVANT = "civil_servant"
    EMPLOYEE = "employee"
    BUSINESS_OWNER = "business_owner"
    SELF_EMPLOYED = "self_employed"
    FARMER = "farmer"
    STUDENT = "student"
    HOMEMAKER = "homemaker"
    RETIRED = "retired"
    OTHER = "other"


class ResidenceArea(StrEnum):
    URBAN = "urban"
    RURAL = "rural"


class AcquisitionSource(StrEnum):
    ONLINE_PUBLIC = "online_public"
    BRANCH = "branch"
    MGM = "mgm"
    PAYROLL_BATCH = "payroll_batch"
    MERCHANT = "merchant"
    CORPORATE_LINK = "corporate_link"
    PARTNER = "partner"


class EnterpriseSize(StrEnum):
    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    MICRO = "micro"


class TaxRating(StrEnum):
    A = "A"
    B = "B"
    M = "M"
    C = "C"
    D = "D"


CODES: Mapping[str, frozenset[str]] = {
    "party_type": frozenset(PartyType),
    "gender": frozenset(Gender),
    "occupation": frozenset(Occupation),
    "residence_area": frozenset(ResidenceArea),
    "acquisition_source": frozenset(AcquisitionSource),
    "enterprise_size": frozenset(EnterpriseSize),
    "tax_rating": frozenset(TaxRating),
}
"""Which values the coded fields take."""

FACTS = (
    *("party_type", "birth_date", "gender", "occupation", "income_year", "city"),
    *(
        "residence_area",
        "local_hukou",
        "local_hukou_years",
        "resident_here",
        "minor_children",
        "has_car",
    ),
    *("is_business_owner", "acquisition_source", "acquisition_cost", "wechat_friend"),
    *("qualified_investor", "industry", "enterprise_size", "credit_rating", "tax_rating"),
    *("declared_turnover", "has_direct_link", "time_zone", "org_path", "rm_id"),
)
"""What a bank states of a customer, personal identifiers aside."""

Facts = dict[str, Any]


class NoSuchCustomer(NotFound):
    code = "no_such_customer"


class CustomerErased(Gone):
    code = "customer_erased"
    title = "The customer was erased at their own request"


class IdentifierAsId(Invalid):
    code = "identifier_as_id"
    title = "A personal identifier cannot be the id of a customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who looks after a customer; `org_path` is empty when nobody does."""

    org_path: str
    rm_id: str | None

    def is_under(self, org: str | None, rm: str | None) -> bool:
        """Tell whether a data scope covers the customer; None does not narrow."""
        in_org = org is None or f"{self.org_path}/".startswith(f"{org}/")
        return in_org and (rm is None or rm == self.rm_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Who looked after a customer from a moment on, who said so, and by which rule if by one."""

    org_path: str
    rm_id: str | None
    since: datetime
    recorded_by: str
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What shuts a customer off from offers (domain guide, section 10)."""

    is_deceased: bool = False
    is_frozen: bool = False
    in_hardship: bool = False
    in_collection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What others must hear of at once when it changes."""

    owner: Owner = Owner(org_path="", rm_id=None)
    flags: Flags = Flags()
    minor_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who a customer id stands for: one record, or several that were found to be the same.

    `addressed` is the id that was asked for; `customer_id` the survivor's, which answers and
    decisions bear; `records` all of them, the survivor's first.
    """

    customer_id: str
    addressed: str
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer as an answer shows it; identifiers are masked."""

    customer_id: str
    facts: Facts
    identifiers: dict[str, str]
    created_at: datetime
    updated_at: datetime


class NotBornYet(Invalid):
    code = "not_born_yet"
    title = "The birth date lies in the future"


def check_birth_date(birth_date: date | None, today: date) -> None:
    """Refuse who is not born yet.

    Raises:
        NotBornYet: if the birth date is after today.
    """
    if birth_date is not None and birth_date > today:
        raise NotBornYet(
            f"Nobody here was born on {birth_date}: today is {today}",
            errors=[FieldError("/birth_date", "lies in the future")],
        )


def grown_up_at(party_type: str, birth_date: date | None) -> date | None:
    """Return the eighteenth birthday of a person, 1 March for those born on 29 February."""
    if party_type != PartyType.PERSON or birth_date is None:
        return None
    try:
        return birth_date.replace(year=birth_date.year + 18)
    except ValueError:
        return date(birth_date.year + 18, 3, 1)


def minor_until(party_type: str, birth_date: date | None, today: date) -> date | None:
    """Return the day a minor comes of age; None for everybody else."""
    grown_up = grown_up_at(party_type, birth_date)
    return grown_up if grown_up is not None and grown_up > today else None


def check_id(customer_id: str, identifiers: Mapping[str, str | None]) -> None:
    """Refuse an id that is one of the customer's own identifiers (statement A13).

    Raises:
        IdentifierAsId: without repeating the value.
    """
    for kind, value in identifiers.items():
        if value is not None and value.strip() == customer_id:
            raise IdentifierAsId(f"The customer_id equals the {kind}; choose an opaque id")

"""The bank's people, their roles, and what a request made on their behalf may do and see."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.errors import FieldError, Forbidden, Invalid, NotFound


class Sight(StrEnum):
    """Whose customers a role sees."""

    BANK = "bank"
    ORG = "org"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A post in the bank: what it may do (`scopes`) and whose customers it sees."""

    key: str
    label_zh: str
    label_en: str
    sees: Sight
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A person: roles, org unit (a path such as `hq/east/branch-12`), RM number."""

    staff_id: str
    roles: tuple[str, ...]
    org: str | None = None
    rm: str | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorClaims:
    """What a token says once a person stands behind it."""

    actor: str
    roles: tuple[str, ...]
    scopes: frozenset[str]
    org: str | None
    rm: str | None


class UnknownStaff(NotFound):
    code = "unknown_staff"

    def __init__(self, staff_id: str) -> None:
        super().__init__(f"No staff member {staff_id}")


class ActorRefused(Forbidden):
    code = "actor_refused"
    title = "The request cannot be made on this person's behalf"


def roles_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, Role]:
    """Read the roles of `catalogue/roles.yaml`."""
    return {
        entry["key"]: Role(
            key=entry["key"],
            label_zh=entry["zh"],
            label_en=entry["en"],
            sees=Sight(entry["sees"]),
            scopes=frozenset(entry["scopes"]),
        )
        for entry in entries
    }


def check(person: Staff, roles: Mapping[str, Role]) -> None:
    """Refuse a person whose roles are unknown, or whose sight has no org unit or RM number.

    Raises:
        Invalid: names the fields. Without them a narrow role would see the whole bank.
    """
    unknown = [key for key in person.roles if key not in roles]
    if unknown:
        raise Invalid(
            f"Unknown role {', '.join(unknown)}; known: {', '.join(sorted(roles))}",
            errors=[FieldError("/roles", "unknown role")],
        )
    sight = widest({roles[key].sees for key in person.roles})
    if sight is Sight.ORG and not person.org:
        raise Invalid(
            "These roles see one org unit's customers: say which",
            errors=[FieldError("/org", "required by the roles")],
        )
    if sight is Sight.OWN and not person.rm:
        raise Invalid(
            "These roles see their own customers: give the RM number",
            errors=[FieldError("/rm", "required by the roles")],
        )


def widest(sights: Collection[Sight]) -> Sight:
    """The widest sight of several roles counts; nobody without a role sees more than their own."""
    return next((each for each in Sight if each in sights), Sight.OWN)


def claims_of(person: Staff, roles: Mapping[str, Role], granted: frozenset[str]) -> ActorClaims:
    """Narrow a client's token to one person: never more than the client, never more than the roles.

    Args:
        person: as the staff table knows them.
        roles: of the catalogue.
        granted: scopes of the client's token.

    Raises:
        ActorRefused: if the person has left, or has no role or place in the bank any more.
    """
    held = [roles[key] for key in person.roles if key in roles]
    if not person.is_active or not held:
        raise ActorRefused(f"{person.staff_id} is not active or has no role")
    sight = widest({role.sees for role in held})
    if (sight is Sight.ORG and not person.org) or (sight is Sight.OWN and not person.rm):
        raise ActorRefused(f"{person.staff_id} has neither the org unit nor the RM number to see")
    return ActorClaims(
        actor=person.staff_id,
        roles=tuple(role.key for role in held),
        scopes=granted & frozenset[str]().union(*(role.scopes for role in held)),
        org=person.org if sight is Sight.ORG else None,
        rm=person.rm if sight is Sight.OWN else None,
    )

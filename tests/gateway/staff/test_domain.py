"""What a request on a person's behalf may do: never more than the client, nor than the roles."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.staff.domain import ActorRefused, Sight, Staff, check, claims_of, roles_of, widest
from shared.errors import Invalid
from shared.paths import CATALOGUE

ROLES = roles_of(
    [
        {"key": "adviser", "zh": "x", "en": "x", "sees": "own", "scopes": ["a", "b"]},
        {"key": "manager", "zh": "x", "en": "x", "sees": "org", "scopes": ["b", "c"]},
        {"key": "auditor", "zh": "x", "en": "x", "sees": "bank", "scopes": ["c"]},
    ]
)
SCOPES = st.frozensets(st.sampled_from("abcd"))


def person(*roles: str, **values: Any) -> Staff:
    return replace(Staff(staff_id="s1", roles=roles, org="hq/b1", rm="r1"), **values)


@given(st.lists(st.sampled_from(sorted(ROLES)), min_size=1, unique=True), SCOPES)
def test_an_actor_never_gains_a_scope(roles: list[str], granted: frozenset[str]) -> None:
    claims = claims_of(person(*roles), ROLES, granted)

    assert claims.scopes <= granted
    assert claims.scopes <= frozenset[str]().union(*(ROLES[key].scopes for key in roles))


@pytest.mark.parametrize(
    ("roles", "org", "rm"),
    [
        (("adviser",), None, "r1"),
        (("manager",), "hq/b1", None),
        (("auditor",), None, None),
        (("adviser", "manager"), "hq/b1", None),
        (("adviser", "auditor"), None, None),
    ],
)
def test_the_widest_sight_of_several_roles_counts(
    roles: tuple[str, ...], org: str | None, rm: str | None
) -> None:
    claims = claims_of(person(*roles), ROLES, frozenset("abc"))

    assert (claims.org, claims.rm) == (org, rm)


def test_without_a_role_nobody_sees_more_than_their_own() -> None:
    assert widest([]) is Sight.OWN


@pytest.mark.parametrize(
    "who",
    [
        person("adviser", is_active=False),
        person("gone"),
        person("adviser", rm=None),
        person("manager", org=None),
    ],
)
def test_who_has_left_or_has_no_place_acts_for_nobody(who: Staff) -> None:
    with pytest.raises(ActorRefused):
        claims_of(who, ROLES, frozenset("abc"))


@pytest.mark.parametrize(
    ("who", "field"),
    [
        (person("unknown"), "/roles"),
        (person("adviser", rm=None), "/rm"),
        (person("manager", org=None), "/org"),
    ],
)
def test_a_narrow_role_without_its_place_is_refused_on_entry(who: Staff, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(who, ROLES)
    assert refused.value.errors[0].pointer == field


def test_the_shipped_roles_are_whole() -> None:
    roles = roles_of(yaml.safe_load((CATALOGUE / "roles.yaml").read_text("utf-8")))

    assert len(roles) == 15
    assert all(role.label_zh and role.label_en and role.scopes for role in roles.values())
    assert not {"clients:admin", "clock"} & roles["auditor"].scopes
    assert not any(scope.endswith(":write") for scope in roles["auditor"].scopes)

import pytest

from services.profile.customers.domain import FACTS
from services.profile.features.domain import FEATURES
from services.profile.grounds.domain import UnknownPurpose, omitted
from services.profile.identifiers.domain import KINDS
from services.profile.vocabulary import Ground, grounds
from shared.subjects import read_rules


def ground(**facts: object) -> Ground:
    usual = {
        "key": "k", "zh": "词", "en": "Word", "ground": "contract", "purposes": ("marketing",),
        "source": "customer", "store": "customer", "attributes": ("age",),
    }  # fmt: skip
    return Ground(**{**usual, **facts})  # pyright: ignore[reportArgumentType]


def test_p1_every_attribute_has_one_ground_with_purposes_source_and_time_kept() -> None:
    named = [attribute for each in grounds() for attribute in each.attributes]

    assert len(named) == len(set(named))
    assert set(named) == {*FACTS, *KINDS, *FEATURES}
    for each in grounds():
        assert each.purposes
        assert each.store in read_rules("profile")


def test_p1_a_read_omits_what_its_purpose_is_not_covered_by() -> None:
    known = [ground(), ground(purposes=("service",), attributes=("phone", "city"))]

    assert omitted(known, "marketing", allows_profiling=False) == {"phone", "city"}
    assert omitted(known, "service", allows_profiling=False) == {"age"}


def test_p1_what_rests_on_consent_is_read_only_while_it_is_given() -> None:
    known = [ground(ground="consent")]

    assert omitted(known, "marketing", allows_profiling=True) == frozenset()
    assert omitted(known, "marketing", allows_profiling=False) == {"age"}


def test_a_purpose_that_nothing_is_held_for_is_refused() -> None:
    with pytest.raises(UnknownPurpose, match="marketing"):
        omitted([ground()], "curiosity", allows_profiling=True)

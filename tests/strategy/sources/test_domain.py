"""How old what other services told is."""

from services.strategy.sources.domain import Sources, old_ones

AGES = {("profile", "main"): 2.0, ("segment", "main"): None}


def test_ages_grow_until_they_are_read_again() -> None:
    ages = Sources(AGES, read_at=100.0).ages_at(130.5)

    assert ages == {"features": 32.5, "memberships": None, "outcomes": None}


def test_only_what_is_known_to_be_beyond_the_limit_is_old() -> None:
    ages = {"features": 30.0, "memberships": 30.1, "outcomes": None}

    assert old_ones(ages, limit_seconds=30.0) == ["memberships_old"]

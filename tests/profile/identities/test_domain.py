import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.identities.domain import (
    NobodyFound,
    SeveralFound,
    masked,
    must_be_one,
    resolve,
)

CUSTOMERS = st.frozensets(st.sampled_from("abcde"))
BEARERS = st.dictionaries(st.sampled_from(["phone", "email", "national_id", "card"]), CUSTOMERS)


@given(BEARERS)
def test_the_one_found_bears_all_that_anybody_bears(bearers: dict[str, frozenset[str]]) -> None:
    found = resolve(bearers)

    known = {name: who for name, who in bearers.items() if who}
    if found.customer_id is not None:
        assert set(found.matched_by) == set(known)
        assert all(found.customer_id in who for who in known.values())
        assert found.candidates == ()
    else:
        assert set(found.candidates) == set().union(*known.values())


@given(BEARERS)
def test_what_nobody_bears_changes_nothing(bearers: dict[str, frozenset[str]]) -> None:
    assert resolve({**bearers, "wechat_openid": frozenset()}) == resolve(bearers)


def test_nobody_and_several_are_told_apart() -> None:
    with pytest.raises(NobodyFound):
        must_be_one(resolve({"phone": frozenset()}))
    with pytest.raises(SeveralFound) as refused:
        must_be_one(resolve({"phone": frozenset("a"), "email": frozenset("b")}))
    assert refused.value.extras == {"candidates": ["a", "b"]}


def test_a_masked_reference_shows_its_end_and_no_short_one() -> None:
    assert masked("6222020000000001234") == "****1234"
    assert masked("12345678") == "****"

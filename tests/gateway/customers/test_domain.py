"""What a reader is shown of a part, and whom a token may be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.customers.domain import (
    Tree,
    UnknownReader,
    ViewNotForCustomers,
    reader_for,
    readers_of,
    selected,
)
from shared.tokens import Token
from tests.gateway.conftest import VIEWS

READERS = readers_of(VIEWS)
NAMES = st.sampled_from("abc")
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner)
)
TREES: st.SearchStrategy[Tree | None] = st.recursive(
    st.none(), lambda inner: st.dictionaries(NAMES, inner, min_size=1)
)


def fields_of(value: Any) -> set[str]:
    """Every field anywhere inside."""
    if isinstance(value, list):
        return set().union(*map(fields_of, value))
    if isinstance(value, dict):
        return set(value).union(*map(fields_of, value.values()))
    return set()


@given(VALUES, st.dictionaries(NAMES, st.none()))
def test_nothing_is_shown_that_was_not_named(value: Any, tree: Tree) -> None:
    shown = selected(value, tree)

    if isinstance(value, dict):
        assert shown == {name: value[name] for name in tree if name in value}
    else:
        assert fields_of(shown) <= fields_of(value)


@given(VALUES, TREES)
def test_to_select_again_changes_nothing(value: Any, tree: Tree | None) -> None:
    once = selected(value, tree)

    assert selected(once, tree) == once


def token(customer: str | None = None) -> Token:
    return Token(client_id="c", scopes=frozenset(), expires_at=0, customer=customer)


def test_the_first_reader_a_token_may_be_is_the_usual_one() -> None:
    assert reader_for(None, token(), READERS).key == "rm"
    assert reader_for(None, token("c-1"), READERS).key == "app"
    assert reader_for("app", token(), READERS).key == "app"


def test_a_bound_token_is_refused_what_the_bank_sees() -> None:
    with pytest.raises(ViewNotForCustomers, match="for=app"):
        reader_for("rm", token("c-1"), READERS)
    with pytest.raises(UnknownReader):
        reader_for("owl", token(), READERS)

"""The page of statements is complete and honest."""

from tests.statements import proofs, statements

LAST = {"P": 16, "B": 14, "A": 15, "L": 13}


def test_every_statement_stands_on_the_page_once() -> None:
    listed = [statement.id for statement in statements()]

    assert listed == [f"{kind}{n}" for kind, last in LAST.items() for n in range(1, last + 1)]


def test_what_is_said_to_hold_or_to_be_part_built_has_a_test() -> None:
    found = proofs()
    claimed = [statement for statement in statements() if not statement.state.startswith("open")]

    assert [statement.id for statement in claimed if not found[statement.id]] == []


def test_no_test_carries_the_id_of_a_statement_that_is_not_there() -> None:
    assert set(proofs()) <= {statement.id for statement in statements()}

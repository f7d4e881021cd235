import pytest

from shared.errors import Forbidden, PersonNeeded, WholeBankOnly
from shared.tokens import Token


def token(**claims: str) -> Token:
    return Token(client_id="crm", scopes=frozenset(), expires_at=0, **claims)  # pyright: ignore[reportArgumentType]


def test_a_person_is_who_the_call_names_and_never_a_program() -> None:
    assert token(actor="s-1").person() == "s-1"
    with pytest.raises(PersonNeeded, match="Bihuan-Actor"):
        token().person()


@pytest.mark.parametrize("claim", ["org", "rm"])
def test_what_concerns_the_whole_bank_is_kept_from_who_sees_a_part(claim: str) -> None:
    token(customer="c1").must_see_the_bank()
    with pytest.raises(WholeBankOnly):
        token(**{claim: "x"}).must_see_the_bank()


def test_what_is_for_staff_is_kept_from_a_customers_token() -> None:
    token(org="bank", rm="rm1").must_be_staff()
    with pytest.raises(Forbidden, match="staff"):
        token(customer="c1").must_be_staff()

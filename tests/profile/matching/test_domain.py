from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.profile.identifiers.domain import KINDS
from services.profile.matching.domain.columns import FIELDS, table_of
from services.profile.matching.domain.parties import Party, fields_of, words
from services.profile.matching.domain.proposals import equal_pair, leading_kinds
from services.profile.matching.domain.runs import Failure, failure_of
from services.profile.vocabulary import EqualRule, matching

RULES = (
    EqualRule(key="id", kinds=("national_id",), zh="证", en="id"),
    EqualRule(key="both", kinds=("phone", "name"), zh="二", en="both"),
)


def party(**identifiers: str) -> Party:
    return Party(
        customer_id="c1",
        party_type="person",
        birth_date=date(1990, 2, 3),
        city=" Hull ",
        identifiers=identifiers,
    )


def test_the_words_of_a_name_are_alike_in_any_order_and_spelling() -> None:
    assert words("Gabriel THOMAS") == words("thomas,  Gabriel") == ["gabriel", "thomas"]
    assert words("阿不都·热合曼") == words("热合曼 阿不都")
    assert words("O'Neil-Smith") == ["neil", "o", "smith"]


def test_a_chinese_name_is_one_word_so_that_a_family_name_alone_says_nothing() -> None:
    assert words("张三") == ["张三"]
    assert words("欧阳 修") == ["修", "欧阳"]


@given(st.text())
def test_words_never_hold_a_blank_and_come_out_the_same_from_themselves(name: str) -> None:
    found = words(name)

    assert all(word and word == word.strip() for word in found)
    assert words(" ".join(found)) == sorted(set(found))


def test_what_is_compared_is_written_alike() -> None:
    found = fields_of(party(name="Anna  Li", email="Anna@Bank.CN", phone="+86 138 0013 8000"))

    assert found == {
        "customer_id": "c1",
        "name": "anna li",
        "name_words": ["anna", "li"],
        "birth_date": "1990-02-03",
        "city": "hull",
        "email": "anna@bank.cn",
        "email_user": "anna",
        "phone": "13800138000",
        "national_id": None,
    }


@given(st.lists(st.dictionaries(st.sampled_from(KINDS), st.text(min_size=1)), max_size=5))
def test_parties_of_any_content_become_columns_in_which_missing_is_null(
    borne: list[dict[str, str]],
) -> None:
    table = table_of([party(**each) for each in borne])

    assert table.schema == FIELDS
    assert table.num_rows == len(borne)
    for row, identifiers in zip(table.to_pylist(), borne, strict=True):
        assert (row["email"] is None) == ("email" not in identifiers)


@given(st.frozensets(st.sampled_from(KINDS)))
def test_a_rule_holds_when_all_its_kinds_are_shared(shared: frozenset[str]) -> None:
    found = equal_pair("a", "b", shared, RULES)

    held = [rule.key for rule in RULES if set(rule.kinds) <= shared]
    if found is None:
        assert held == []
    else:
        assert [said.comparison for said in found.evidence] == held
        assert found.probability == 1


def test_pairs_are_looked_for_by_the_first_kind_of_each_rule() -> None:
    assert leading_kinds(RULES) == ["national_id", "phone"]
    assert "name" not in leading_kinds(matching().equal)


def test_of_an_error_only_its_kind_is_told() -> None:
    assert failure_of(ModuleNotFoundError("splink")) is Failure.NOT_INSTALLED
    assert failure_of(MemoryError()) is Failure.MEMORY_EXCEEDED
    assert failure_of(ValueError("张三")) is Failure.INTERNAL_ERROR

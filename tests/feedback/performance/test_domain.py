from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.feedback.performance.domain import Performance, total

counts = st.dictionaries(st.sampled_from(["seen", "clicked", "converted"]), st.integers(0, 50))


def test_open_propositions_and_labels_add_up() -> None:
    group = Performance(key="a", propositions=10, labels={"clicked": 3, "ignored": 5})

    assert group.open == 2


def test_a_rate_without_propositions_is_unknown() -> None:
    assert Performance(key="a", propositions=0).rate("seen") is None
    assert Performance(key="a", propositions=4, reached={"seen": 3}).rate("seen") == 0.75
    assert Performance(key="a", propositions=4).rate("seen") == 0


@given(st.lists(st.tuples(st.integers(0, 100), counts, counts, st.integers(0, 10**9)), max_size=6))
def test_the_total_is_the_sum_of_the_groups(
    parts: list[tuple[int, dict[str, int], dict[str, int], int]],
) -> None:
    groups = [
        Performance(
            key=str(index),
            propositions=propositions,
            reached=reached,
            labels=labels,
            converted_amount=Decimal(fen).scaleb(-2),
        )
        for index, (propositions, reached, labels, fen) in enumerate(parts)
    ]

    added = total(groups)

    assert added.propositions == sum(part[0] for part in parts)
    assert added.reached.get("seen", 0) == sum(part[1].get("seen", 0) for part in parts)
    assert sum(added.labels.values()) == sum(sum(part[2].values()) for part in parts)
    assert added.converted_amount == sum((g.converted_amount for g in groups), Decimal(0))

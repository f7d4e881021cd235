"""Who is in a segment, by the rule where it is known."""

from collections.abc import Mapping

from services.strategy.customers.domain import Customer
from services.strategy.segments.domain import SegmentRules
from shared.rules import Attribute, AttributeType, Catalogue

WORDS = Catalogue(
    [
        Attribute("age", AttributeType.INT),
        Attribute("tier", AttributeType.ENUM, ("wealth", "private")),
    ]
)


def segments_of(rules: Mapping[str, str | None], **known: object) -> set[str]:
    customer = Customer(
        id="c1",
        features={"age": known.get("age")},  # pyright: ignore[reportArgumentType]
        levels={"tier": known.get("tier")},  # pyright: ignore[reportArgumentType]
        segments=frozenset({"told", "edited"}),
    )
    return set(SegmentRules(rules, WORDS).segments_of(customer))


def test_l6_the_rule_decides_where_it_is_known_and_what_was_told_elsewhere() -> None:
    rules = {"edited": "age < 35", "new": "tier = 'private'"}

    assert segments_of(rules, age=30, tier="wealth") == {"told", "edited"}
    assert segments_of(rules, age=40, tier="private") == {"told", "new"}


def test_a_segment_out_of_use_has_no_members() -> None:
    assert segments_of({"edited": None}) == {"told"}


def test_l2_who_lacks_what_a_rule_asks_for_is_not_a_member() -> None:
    assert segments_of({"edited": "age != 1"}) == {"told"}


def test_of_a_rule_that_cannot_be_read_what_was_told_counts() -> None:
    rules = SegmentRules({"edited": "no_such_word > 1"}, WORDS)

    assert "no_such_word" in rules.unreadable["edited"]
    assert segments_of({"edited": "no_such_word > 1"}) == {"told", "edited"}

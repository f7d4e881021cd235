"""What a page finds of the funnel is what an explanation would find."""

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.strategy.channels.domain import Direction
from services.strategy.customers.domain import Customer, Flags
from services.strategy.funnel.domain.situation import Situation
from services.strategy.funnel.domain.verdicts import Funnel
from services.strategy.strategies.domain import Choice, Purpose, State
from services.strategy.suppressions.domain import Scope, Suppression
from tests.strategy.builders import CONSENT, NOON, catalogue, customer, product, situation, strategy

KNOWN = catalogue(
    products=(
        *(product(f"fund_{n}", category="fund", risk_level=n) for n in (1, 3, 5)),
        product("term", eligibility="age >= 18"),
        product("bind", category="quick_pay"),
        product("over", sale_until=NOON.date() - timedelta(days=1)),
    ),
    strategies=(
        strategy("everybody"),
        strategy("young", applicability="age < 30"),
        strategy("mine", groups=("mine",)),
        strategy("paused", state=State.PAUSED),
        strategy("care", choice=Choice.NONE, purpose=Purpose.SERVICE),
    ),
)
ARENA = KNOWN.arenas["app", Direction.IN]
KEYS = {
    Scope.ALL: [""],
    Scope.CHANNEL: ["app", "sms"],
    Scope.PRODUCT: ["term", "fund_3"],
    Scope.CATEGORY: ["fund", "quick_pay"],
    Scope.ACTION: [action.id for action in ARENA.actions[:3]],
    Scope.TREATMENT: list(ARENA.treatments[:3]),
}
SUPPRESSIONS = st.sampled_from([(scope, key) for scope, keys in KEYS.items() for key in keys]).map(
    lambda about: Suppression(
        scope=about[0], key=about[1], until=NOON + timedelta(days=3), code="refused"
    )
)


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    return customer(
        features={
            "age": draw(st.sampled_from([None, 16, 25, 70])),
            "has_quick_pay": draw(st.sampled_from([None, False, True])),
            "aum": draw(st.sampled_from([None, 0.0, 1e6])),
        },
        segments=draw(st.sampled_from([frozenset[str](), frozenset({"mine"})])),
        consents=draw(st.sampled_from([(), (CONSENT,)])),
        personalization=draw(st.booleans()),
        flags=Flags(is_frozen=draw(st.sampled_from([False, False, True]))),
        risk_class=draw(st.sampled_from([None, 1, 3, 5])),
        suppressions=tuple(draw(st.lists(SUPPRESSIONS, max_size=2))),
    )


SITUATIONS = st.builds(
    lambda customer, exhausted: situation(customer=customer, exhausted=exhausted),
    customers(),
    st.sampled_from([frozenset[str](), frozenset({"term"})]),
)


@given(SITUATIONS)
def test_a_treatment_is_allowed_exactly_if_no_verdict_speaks_against_it(asked: Situation) -> None:
    explained, shown = Funnel(KNOWN, ARENA, asked), Funnel(KNOWN, ARENA, asked)
    places = range(len(ARENA.treatments))

    verdicts = [explained.verdict(place) for place in places]

    assert np.array_equal(shown.allowed, [verdict is None for verdict in verdicts])
    assert np.array_equal(explained.allowed, shown.allowed)
    assert [shown.verdict(place) for place in places] == verdicts

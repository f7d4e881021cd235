from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.strategy.catalogue.domain.decisioning import Decisioning
from services.strategy.channels.domain import Direction
from services.strategy.customers.domain import Complaints, Flags
from services.strategy.decisions.domain.answer import answer_of
from services.strategy.decisions.domain.breaker import Breaker
from services.strategy.decisions.domain.decide import decide, fate
from services.strategy.decisions.domain.explanation import explain
from services.strategy.decisions.domain.knowledge import Knowledge
from services.strategy.decisions.domain.record import PLAIN_BYTES, pack, pack_shortlist, unpack
from services.strategy.funnel.domain.situation import Mode
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.gates.domain.silence import ImpressionLimit
from services.strategy.propensities.domain import Evidence
from services.strategy.strategies.domain import Choice, Purpose, State
from services.strategy.suppressions.domain import Scope, Suppression
from tests.strategy.builders import (
    NOON,
    catalogue,
    customer,
    product,
    situation,
    strategy,
    with_features,
)

FUNDS = tuple(
    product(f"fund_{n}", category="fund", risk_level=n, value_cny=100.0 * n) for n in range(1, 6)
)


def made(known_catalogue, asked):
    knowledge = Knowledge(known_catalogue, [], version=0)
    arena = knowledge.arena(asked.channel, asked.direction)
    assert arena is not None
    decision = decide(known_catalogue, arena, knowledge.beliefs(arena, asked.today), asked)
    return decision, arena


def products(decision):
    return [p.action.product.key for p in decision.propositions if p.action.product]


def fallen(known_catalogue, asked):
    decision, arena = made(known_catalogue, asked)
    return {
        action.id: (refusal.stage.name.lower(), refusal.code)
        for place, action in enumerate(arena.actions)
        if (refusal := fate(decision, arena, place))
    }


@pytest.mark.parametrize("risk_class", [None, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("is_mandatory", [False, True])
@pytest.mark.parametrize("uses_defaults", [False, True])
@pytest.mark.parametrize("personalization", [False, True])
def test_b1_no_lever_mandatory_flag_fallback_or_mode_passes_r_above_c(
    risk_class, is_mandatory, uses_defaults, personalization
) -> None:
    pushed = strategy("pushed", lever=10_000.0, is_mandatory=is_mandatory)
    known = catalogue(products=FUNDS, strategies=(pushed,))
    asked = situation(
        customer=customer(risk_class=risk_class, personalization=personalization),
        uses_defaults=uses_defaults,
        limit=20,
    )

    decision, _ = made(known, asked)

    assert sorted(products(decision)) == [f"fund_{n}" for n in range(1, (risk_class or 1) + 1)]
    assert all(p.requires_assessment == (risk_class is None) for p in decision.propositions)


def test_gates_are_passed_in_their_order() -> None:
    strategies = (
        strategy("other_stage", stage="churn"),
        strategy("paused", state=State.PAUSED),
        strategy("young", applicability="age < 30"),
        strategy("others", groups=("elsewhere", "tier:wealth")),
        strategy("fits", groups=("tier:wealth", "mine")),
    )
    known = catalogue(products=FUNDS[3:4], strategies=strategies)
    asked = situation(
        customer=customer(segments=frozenset({"mine"}), levels={"lifecycle": "activation"})
    )

    assert fallen(known, asked) == {
        "paused-fund_4": ("eligibility", "strategy_not_running"),
        "other_stage-fund_4": ("applicability", "other_stage"),
        "young-fund_4": ("applicability", "applicability_rule_not_met"),
        "others-fund_4": ("applicability", "not_in_group"),
        "fits-fund_4": ("suitability", "risk_above_class"),
    }


def test_an_unknown_answer_of_a_rule_is_not_a_yes() -> None:
    item = product("p", eligibility="days_to_next_maturity <= 7")

    known = catalogue(products=(item,))

    assert fallen(known, situation())["everybody-p"] == ("eligibility", "eligibility_rule_not_met")
    soon = with_features(customer(), days_to_next_maturity=3)
    assert fallen(known, situation(customer=soon)) == {}


def test_a_rule_over_an_attribute_that_is_gone_stops_what_hangs_on_it() -> None:
    known = catalogue(products=(product("p", eligibility="gone > 1"), product("q")))

    assert "product p" in known.unreadable
    assert products(made(known, situation())[0]) == ["q"]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"flags": Flags(is_frozen=True)}, ("eligibility", "frozen")),
        ({"consents": ()}, ("consent", "consent_missing")),
        ({"complaints": Complaints(open=1)}, ("contact_policy", "complaint_open")),
        (
            {
                "suppressions": (
                    Suppression(
                        scope=Scope.CATEGORY,
                        key="term_deposit",
                        until=NOON + timedelta(days=1),
                        code="refused",
                    ),
                )
            },
            ("contact_policy", "suppressed"),
        ),
        (
            {"impressions": {"everybody-term_one": (NOON.date(),) * 10}},
            ("contact_policy", "impression_limit"),
        ),
        ({"features": {"has_quick_pay": True}}, ("applicability", "already_holds")),
    ],
)
def test_customers_are_left_alone_for_their_reasons(overrides, expected) -> None:
    fell = fallen(catalogue(), situation(customer=customer(**overrides)))

    assert expected in fell.values()


def test_a_suppression_ends_and_may_hold_in_one_channel_only() -> None:
    def offered(**overrides):
        usual: dict[str, Any] = {"scope": Scope.PRODUCT, "key": "term_one", "code": "refused"}
        usual["until"] = NOON + timedelta(seconds=1)
        silence = Suppression(**{**usual, **overrides})
        asked = situation(customer=customer(suppressions=(silence,)))
        return "term_one" in products(made(catalogue(), asked)[0])

    assert not offered()
    assert offered(until=NOON)
    assert offered(channel="sms")
    assert not offered(channel="app")


def test_p4_care_without_an_offer_needs_no_marketing_consent() -> None:
    care = strategy("care", purpose=Purpose.SERVICE, choice=Choice.NONE)
    known = catalogue(strategies=(care, strategy("offer")))

    decision, _ = made(known, situation(customer=customer(consents=())))

    assert [p.action.id for p in decision.propositions] == ["care-none"]


def test_mandatory_comes_first_with_probability_one() -> None:
    known = catalogue(strategies=(strategy("must", is_mandatory=True), strategy("rich")))

    for seed in range(20):
        decision, _ = made(known, situation(seed=seed, limit=2))
        assert {p.action.strategy.key for p in decision.propositions} == {"must"}
        assert {p.probability for p in decision.propositions} == {1.0}


def test_one_product_is_shown_once() -> None:
    known = catalogue(strategies=(strategy("a"), strategy("b")))

    decision, arena = made(known, situation(limit=10))

    assert sorted(products(decision)) == ["quick_bind", "term_one"]
    others = [r for place in range(len(arena.actions)) if (r := fate(decision, arena, place))]
    assert {(r.stage, r.code) for r in others} == {(Stage.LIMITS, "product_shown_already")}


def test_equal_inputs_and_seed_give_an_equal_decision() -> None:
    known = catalogue(products=FUNDS)

    assert made(known, situation())[0].propositions == made(known, situation())[0].propositions


def test_without_exploration_the_total_order_decides() -> None:
    known = catalogue(products=FUNDS)
    asked = situation(customer=customer(risk_class=5), uses_defaults=True)

    decision, _ = made(known, asked)

    assert decision.mode is Mode.DEFAULTS
    assert products(decision) == ["fund_5", "fund_4", "fund_3"]


personal = st.fixed_dictionaries(
    {
        "aum": st.floats(0, 1e7),
        "lifecycle": st.sampled_from(["churn", "activation", None]),
        "has_quick_pay": st.booleans(),
        "salary_month": st.none() | st.floats(0, 1e5),
    }
)


@settings(max_examples=60)
@given(personal, st.frozensets(st.sampled_from(["mine", "yours"])), st.integers(1, 5))
def test_p8_without_personalization_no_profile_attribute_changes_the_ranking(
    features, segments, risk_class
) -> None:
    strategies = (
        strategy("mine", groups=("mine",), lever=50.0),
        strategy("rest", stage="churn", applicability="aum > 1000"),
    )
    extra = (product("term_one"), product("quick_bind", category="quick_pay", value_cny=90.0))
    known = catalogue(products=(*FUNDS, *extra), strategies=strategies)
    plain = customer(personalization=False, risk_class=5)
    other = replace(
        with_features(plain, **features),
        segments=segments,
        levels={"tier": "wealth"},
        risk_class=risk_class,
    )

    reference, _ = made(known, situation(customer=plain, limit=20))
    permuted, _ = made(known, situation(customer=other, limit=20, seed=99))

    assert permuted.mode is Mode.NON_PERSONALIZED
    allowed = set(products(permuted))
    assert products(permuted) == [p for p in products(reference) if p in allowed]
    dropped = set(products(reference)) - allowed
    assert dropped == {f"fund_{n}" for n in range(risk_class + 1, 6)}  # the hard gate still holds


def test_p7_the_same_offer_reads_the_same_for_everybody() -> None:
    known = catalogue(products=FUNDS[:1])
    poor, rich = customer(), with_features(customer(), aum=9e6, age=30)

    told = [
        answer_of(
            made(known, situation(customer=each))[0],
            decision_id="d1",
            customer_id="c1",
            degraded_by=[],
            as_of={},
            placements=(),
        )["propositions"]
        for each in (poor, rich)
    ]

    assert told[0] == told[1] != []


def test_p8_the_switch_in_the_request_counts_too() -> None:
    decision, _ = made(catalogue(), situation(wants_personalization=False))

    assert decision.mode is Mode.NON_PERSONALIZED
    assert made(catalogue(), situation())[0].mode is Mode.PERSONALIZED


def test_l7_the_record_brings_the_same_decision_back() -> None:
    known = catalogue(
        products=FUNDS,
        strategies=(strategy("mine", groups=("tier:wealth", "g1"), applicability="age > 18"),),
    )
    silence = Suppression(
        scope=Scope.PRODUCT, key="fund_2", until=NOON + timedelta(days=3), code="refused"
    )
    asked = situation(
        customer=customer(
            levels={"tier": "wealth"},
            segments=frozenset({"g1", "irrelevant"}),
            suppressions=(silence,),
            complaints=Complaints(last_closed_at=NOON - timedelta(days=400)),
            impressions={"mine-fund_3": (NOON.date(),)},
        ),
        context=(("page", "fund"),),
        exhausted=frozenset({"fund_1"}),
        held_back=None,
    )
    before, _ = made(known, asked)

    packed = pack(known, asked)
    again = unpack(known, packed, customer_id="c1", channel="app", direction=Direction.IN)
    after, _ = made(known, again)

    assert after.propositions == before.propositions
    assert after.shortlist == before.shortlist
    assert len(packed) + len(pack_shortlist(before.shortlist)) < 1500


def test_l7_a_large_situation_is_compressed_and_comes_back() -> None:
    days = tuple(NOON.date() - timedelta(days=n) for n in range(14))
    seen = {f"everybody-product_{n}": days for n in range(40)}
    asked = situation(customer=customer(impressions=seen))
    known = catalogue()

    packed = pack(known, asked)
    again = unpack(known, packed, customer_id="c1", channel="app", direction=Direction.IN)

    assert len(packed) <= PLAIN_BYTES
    assert again.customer.impressions == seen


def test_what_holds_a_contact_back_is_recorded_with_its_values() -> None:
    refusal = Refusal(Stage.CONTACT_POLICY, "cap_reached", {"cap": "all", "limit": 1})
    asked = situation(direction=Direction.OUT, held_back=refusal)
    known = catalogue()

    packed = pack(known, asked)
    again = unpack(known, packed, customer_id="c1", channel="app", direction=Direction.OUT)

    assert again.held_back == refusal
    assert made(known, again)[0].cause == "cap_reached"


def test_every_candidate_that_was_not_chosen_has_its_stage_and_reason() -> None:
    known = catalogue(products=FUNDS)
    knowledge = Knowledge(known, [], version=0)
    asked = situation(limit=1)
    decision, arena = made(known, asked)

    beliefs = knowledge.beliefs(arena, asked.today)
    assert beliefs is not None
    explained = explain(decision, arena, beliefs)

    assert explained[0].rank == 1
    assert explained[0].refusal is None
    assert all(item.refusal for item in explained[1:])
    assert {item.refusal.code for item in explained[1:] if item.refusal} == {
        "outranked",
        "risk_above_class",
    }


def test_a_lesson_learnt_changes_what_is_chosen() -> None:
    known = catalogue(products=FUNDS[:2])
    good, poor = (
        Evidence(
            treatment=f"everybody-{key}/app/in",
            category="fund",
            goal_metric="aum",
            channel="app",
            positives=positives,
            negatives=1000 - positives,
            faded_to=NOON.date(),
        )
        for key, positives in (("fund_1", 900.0), ("fund_2", 10.0))
    )
    chosen = []
    for evidence in ([], [good, poor]):
        knowledge = Knowledge(known, evidence, version=1)
        arena = knowledge.arena("app", Direction.IN)
        beliefs = knowledge.beliefs(arena, NOON.date())
        firsts = [
            products(decide(known, arena, beliefs, situation(seed=s, limit=1)))[0]
            for s in range(200)
        ]
        chosen.append(firsts.count("fund_1"))

    assert chosen[1] > 150 > chosen[0]


def test_impression_limits_are_data() -> None:
    tight = Decisioning(impressions=ImpressionLimit(count=1, days=1))
    seen = customer(impressions={"everybody-term_one": (NOON.date(),)})

    known = catalogue(decisioning=tight)

    assert products(made(known, situation(customer=seen))[0]) == ["quick_bind"]


def test_three_late_answers_in_a_row_open_the_breaker_for_a_while() -> None:
    breaker = Breaker()
    for at, in_time in [(1, False), (2, True), (3, False), (4, False)]:
        breaker = breaker.after(in_time=in_time, at=at, limit=3, pause_seconds=10)
        assert not breaker.is_open(at)

    breaker = breaker.after(in_time=False, at=5, limit=3, pause_seconds=10)

    assert breaker.is_open(14.9)
    assert not breaker.is_open(15)


def test_the_floor_reaches_every_allowed_treatment_of_a_large_arena() -> None:
    shelf = tuple(
        product(f"p{n}", category="fund", risk_level=1 + n % 5, value_cny=10.0 + n)
        for n in range(30)
    )
    known = catalogue(products=shelf, strategies=tuple(strategy(f"s{n}") for n in range(10)))

    decision, arena = made(known, situation())

    assert len(arena.actions) == 300
    allowed = 10 * 18
    assert sum(s.probability for s in decision.shortlist) == pytest.approx(
        0.98 + 0.02 * 32 / allowed
    )

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from bihuan.demo.customer_behaviour import REASONS, answer, converts
from bihuan.demo.truth import Truth
from tests.bihuan.demo.conftest import Bank


@dataclass(frozen=True)
class Offer:
    category: str | None
    channel: str


@pytest.fixture(scope="module")
def truth(bank: Bank) -> Truth:
    return Truth(bank.truth)


@pytest.mark.parametrize(
    ("category", "channel"),
    [("wealth_management", "app"), ("quick_pay", "app"), ("insurance", "rm"), ("fund", "sms")],
)
def test_simulated_answers_recover_the_true_propensity(
    truth: Truth, category: str, channel: str
) -> None:
    ids = truth.frame["customer_id"].to_list() * 5
    true = truth.propensity(ids, category, channel)
    simulated = converts(truth, ids, category, channel, np.random.default_rng(1))

    error = np.sqrt((true * (1 - true)).sum()) / len(ids)
    assert simulated.mean() == pytest.approx(true.mean(), abs=4 * error)


def test_propensities_tell_customers_apart(truth: Truth) -> None:
    chances = truth.propensity(truth.frame["customer_id"].to_list(), "wealth_management", "app")

    assert 0.01 < chances.mean() < 0.15
    assert np.quantile(chances, 0.9) > 4 * np.quantile(chances, 0.1)


def test_a_contact_lifts_most_and_puts_some_off(truth: Truth) -> None:
    ids = truth.frame["customer_id"].to_list()
    uplift = truth.propensity(ids, "fund", "app") - truth.propensity(
        ids, "fund", "app", contacted=False
    )

    assert uplift.mean() > 0
    assert (uplift < 0).any()


def test_a_voice_helps_wares_that_want_one(truth: Truth) -> None:
    ids = truth.frame["customer_id"].to_list()[:100]

    assert (
        truth.propensity(ids, "insurance", "rm").mean()
        > truth.propensity(ids, "insurance", "sms").mean()
    )


def test_the_same_dice_give_the_same_answer(truth: Truth) -> None:
    offer = Offer("fund", "rm")
    first, again = (answer(truth, "C00000001", offer, np.random.default_rng(5)) for _ in range(2))

    assert first == again


def test_answers_are_of_the_vocabulary_and_only_refusals_have_reasons(truth: Truth) -> None:
    rng = np.random.default_rng(2)
    given = [answer(truth, "C00000001", Offer("fund", "rm"), rng) for _ in range(500)]
    counts = Counter(each.outcome for each in given)

    assert set(counts) <= {"converted", "ignored", "refused", "later", "not_relevant"}
    assert all((each.reason in REASONS) == (each.outcome == "refused") for each in given)


def test_care_without_a_product_converts_nobody(truth: Truth) -> None:
    rng = np.random.default_rng(2)

    assert all(
        answer(truth, "C00000001", Offer(None, "app"), rng).outcome != "converted"
        for _ in range(200)
    )


def test_a_stranger_is_not_answered_for(truth: Truth) -> None:
    with pytest.raises(KeyError, match="C99999999"):
        truth.propensity(["C99999999"], "fund", "app")

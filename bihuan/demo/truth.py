"""What no bank knows: each customer's propensities, the effect of a contact, the churn hazard.

The logit of taking a ware when asked is the sum of the customer's taste for the category, the
customer's taste for the channel, and what the pair of them adds. Beside it stand the lift of a
contact over none, the churn hazard of the next 90 days, and what a retention contact saves.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import orjson
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from bihuan.demo import design
from bihuan.demo.holdings import OPEN, Holdings
from bihuan.demo.people import Floats, People

CATEGORY_COLUMNS = tuple(f"take_{name}" for name in design.CATEGORIES)
CHANNEL_COLUMNS = tuple(f"by_{name}" for name in design.CHANNELS)
HELD_ALREADY = -1.0  # a second one of the same kind is wanted less
ASLEEP = -1.2  # by those long quiet, of anything


class Truth:
    """What is true of each customer; all of it hidden from the bank.

    Args:
        frame: one row a customer, in ascending order of `customer_id`.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self._ids = frame["customer_id"].to_numpy().astype(np.str_)
        logits = (*CATEGORY_COLUMNS, *CHANNEL_COLUMNS, "lift")
        self._logits = {name: frame[name].to_numpy().astype(np.float64) for name in logits}

    @classmethod
    def load(cls, folder: Path) -> "Truth":
        """The truth that was written beside a bank."""
        return cls(pl.read_parquet(folder / "truth.parquet"))

    def propensity(
        self, customer_ids: Sequence[str], category: str, channel: str, *, contacted: bool = True
    ) -> Floats:
        """Probability that each customer takes the category offered in the channel now.

        Without the contact it is what they would do unasked: the same logit less their lift.

        Raises:
            KeyError: if a customer, the category or the channel is not of this bank.
        """
        at = self.rows(customer_ids)
        logit = self._logits[f"take_{category}"][at] + self._logits[f"by_{channel}"][at]
        logit += pair_logit(category, channel)
        return sigmoid(logit if contacted else logit - self._logits["lift"][at])

    def rows(self, customer_ids: Sequence[str]) -> NDArray[np.intp]:
        """Where in `frame` each customer stands."""
        wanted = np.asarray(customer_ids, dtype=np.str_)
        at = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        missing = self._ids[at] != wanted
        if missing.any():
            raise KeyError(f"customer {wanted[missing][0]} is not of this bank")
        return at


def sigmoid(logit: Floats) -> Floats:
    return 1 / (1 + np.exp(-logit))


def pair_logit(category: str, channel: str) -> float:
    """What a ware and a channel add to each other."""
    voiced = category in design.VOICE_WARES and channel in design.VOICE_CHANNELS
    return design.VOICE_LOGIT if voiced else 0.0


def truth_frame(people: People, holdings: Holdings, rng: Generator) -> pl.DataFrame:
    """The block's truth: logits as float32, hazard and hidden causes beside them."""
    n = len(people)
    quiet = np.isin(people.pattern, (design.QUIET, design.ASLEEP, design.GONE))
    take = _take_logits(people) + HELD_ALREADY * _holds(people, holdings)
    take += rng.normal(0, 0.4, (n, len(design.CATEGORIES)))  # tastes that nothing explains
    take += (ASLEEP * np.isin(people.pattern, (design.ASLEEP, design.GONE)))[:, None]
    taste = (people.digital - 0.5)[:, None] * np.array(design.CHANNEL_DIGITAL)
    by = np.array(design.CHANNEL_LOGITS) + taste
    return pl.DataFrame(
        {
            "customer_id": people.ids,
            **_columns(CATEGORY_COLUMNS, take),
            **_columns(CHANNEL_COLUMNS, by),
            "lift": rng.normal(*design.LIFT, n) + design.LIFT_OF_THE_QUIET * quiet,
            "churn_hazard_90d": sigmoid(people.churn_logit),
            "save": rng.normal(*design.SAVE, n),
            "pull": people.pull,
            "salary_elsewhere": people.salary_elsewhere,
            "pattern": pl.Series(design.PATTERNS).gather(people.pattern),
        }
    )


def _columns(names: Sequence[str], values: Floats) -> dict[str, NDArray[np.float32]]:
    return {name: values[:, i].astype(np.float32) for i, name in enumerate(names)}


def _take_logits(people: People) -> Floats:
    table = np.zeros((3, len(design.CATEGORIES), 4))
    for row, (name, category) in enumerate(design.RETAIL.items()):
        for party in range(len(design.PARTY_TYPES)):
            special = design.BUSINESS.get(party, {}).get(name)
            table[party, row] = special[1] if special else category.take
    basis = [np.ones(len(people)), people.affluence, people.years, people.digital - 0.5]
    return np.einsum("nck,nk->nc", table[people.party], np.stack(basis, axis=1))


def _holds(people: People, holdings: Holdings) -> Floats:
    holds = np.zeros((len(people), len(design.CATEGORIES)))
    still = holdings.closed == OPEN
    holds[holdings.customer[still], holdings.category[still]] = 1
    return holds


def formulas(customers: int, seed: int, as_of: str) -> dict[str, object]:
    """How the columns of the truth are read, with every parameter of the design."""
    return {
        "customers": customers,
        "seed": seed,
        "as_of": as_of,
        "propensity": "1 / (1 + exp(-(take_{category} + by_{channel} + pair)))",
        "propensity_without_contact": "1 / (1 + exp(-(… - lift)))",
        "pair": {
            "logit": design.VOICE_LOGIT,
            "categories": sorted(design.VOICE_WARES),
            "channels": sorted(design.VOICE_CHANNELS),
        },
        "churn_hazard_90d": "1 / (1 + exp(-churn_logit))",
        "churn_hazard_90d_after_retention_contact": "churn_hazard_90d * exp(-save)",
        "churn_logit": asdict(design.CHURN),
        "lift": {"mean_sigma": design.LIFT, "of_the_quiet": design.LIFT_OF_THE_QUIET},
        "save": {"mean_sigma": design.SAVE},
        "hidden": ["pull", "salary_elsewhere", "salary_elsewhere and age under 35"],
    }


def write_formulas(folder: Path, customers: int, seed: int, as_of: str) -> None:
    text = orjson.dumps(formulas(customers, seed, as_of), option=orjson.OPT_INDENT_2)
    (folder / "truth.json").write_bytes(text)

"""The linkage of persons by Splink: in memory, without a file and without the network.

Only the process of matching imports this module, for what it loads and for what it holds.
"""

import logging
import math
from collections.abc import Sequence
from typing import Any, cast

import duckdb
import polars as pl
import pyarrow as pa
import splink.comparison_level_library as levels
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison
from splink.internals.exceptions import SplinkException

from services.profile.matching.domain.columns import FIELDS
from services.profile.matching.domain.proposals import Evidence, Proposal
from services.profile.vocabulary import Comparison, Level, Linkage

MISSING = -1
PEOPLE_AT_ONCE = 50_000


def link(people: pa.Table, model: Linkage, *, memory: str) -> list[Proposal]:
    """Propose pairs of persons who are probably one.

    What is given in the same order gives the same result: one thread, seeded dice.

    Args:
        people: columns as `FIELDS` says, in the order of the ids.
        model: of the catalogue.
        memory: most that may be held, such as `2GB`; personal data is never spilled to disk.

    Returns:
        The pairs at or above the model's threshold, in the order of their ids; none where too few
        agree in anything to learn from.

    Raises:
        MemoryError: it would take more memory.
    """
    if people.num_rows < 2:
        return []
    try:
        return _link(people, model, memory)
    except SplinkException as error:
        if isinstance(error.__cause__, duckdb.OutOfMemoryException):
            raise MemoryError from None
        raise


def _link(people: pa.Table, model: Linkage, memory: str) -> list[Proposal]:
    with _engine(memory) as engine:
        api = DuckDBAPI(engine)
        linker = Linker(api.register(people), _settings(model), log_level=logging.ERROR)
        if not _learn(linker, people, model):
            return []
        found = linker.inference.predict(
            threshold_match_probability=model.propose_from,
            num_chunks_left=math.ceil(people.num_rows / PEOPLE_AT_ONCE),
        )
        rows = cast("pa.Table", found.as_pyarrow_table()).to_pylist()
    proposals = [_proposal(row, model) for row in rows]
    return sorted(proposals, key=lambda each: (each.customer_id, each.other_id))


def _engine(memory: str) -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": memory,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    engine.execute("SET enable_external_access = false")
    return engine


def _learn(linker: Linker, people: pa.Table, model: Linkage) -> bool:
    """Fit the model to the records; tell whether they told anything."""
    training = linker.training
    try:
        training.estimate_probability_two_random_records_match(
            [block_on(*names) for names in model.alike], recall=model.recall
        )
    except ValueError:  # nearly all pairs are alike: there are next to no records
        return False
    if not linker.misc.save_model_to_json()["probability_two_random_records_match"]:
        return False
    training.estimate_u_using_random_sampling(max_pairs=model.sampled_pairs, seed=model.seed)
    for names in model.learn_from:
        if _any_agree(people, names):  # Splink would drop the comparison otherwise
            training.estimate_parameters_using_expectation_maximisation(
                block_on(*names), max_pairs=model.sampled_pairs
            )
    return True


def _any_agree(people: pa.Table, names: Sequence[str]) -> bool:
    known = pl.DataFrame(pl.from_arrow(people.select(names))).drop_nulls()
    return known.height > known.n_unique()


def _settings(model: Linkage) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="customer_id",
        comparisons=[_comparison(each) for each in model.comparisons],
        blocking_rules_to_generate_predictions=[_compare_within(names) for names in model.compare],
        retain_intermediate_calculation_columns=True,
        retain_matching_columns=True,
    )


def _comparison(comparison: Comparison) -> CustomComparison:
    return CustomComparison(
        output_column_name=comparison.key,
        comparison_levels=[
            levels.NullLevel(comparison.key),
            *(_level(each) for each in comparison.levels),
            levels.ElseLevel(),
        ],
    )


def _level(level: Level) -> Any:
    match level.measure:
        case "equal":
            return levels.ExactMatchLevel(level.of, term_frequency_adjustments=level.by_frequency)
        case "jaro_winkler":
            return levels.JaroWinklerLevel(level.of, level.at)
        case "edits":
            return levels.LevenshteinLevel(level.of, int(level.at))
        case "shares_word":
            return levels.ArrayIntersectLevel(level.of, 1)


def _compare_within(names: Sequence[str]) -> Any:
    lists = [name for name in names if pa.types.is_list(FIELDS.field(name).type)]
    return block_on(*names, arrays_to_explode=lists or None)


def _proposal(row: dict[str, Any], model: Linkage) -> Proposal:
    return Proposal(
        customer_id=row["customer_id_l"],
        other_id=row["customer_id_r"],
        probability=row["match_probability"],
        evidence=tuple(
            _evidence(each, row)
            for each in model.comparisons
            if row[f"gamma_{each.key}"] != MISSING
        ),
    )


def _evidence(comparison: Comparison, row: dict[str, Any]) -> Evidence:
    gamma: int = row[f"gamma_{comparison.key}"]
    weight: float = row[f"mw_{comparison.key}"] + row.get(f"mw_tf_adj_{comparison.key}", 0.0)
    held = comparison.levels[-gamma].key if gamma else "different"
    return Evidence(comparison=comparison.key, level=held, weight=round(weight, 2))

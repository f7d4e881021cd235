"""Clusters found, described, named and found again."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from services.segment.attributes.domain import AttributeEntry, Owner, SeparateConsentRequired
from services.segment.clusterings.domain import fitting
from services.segment.clusterings.domain.clustering import (
    Clustering,
    Criterion,
    Measure,
    Method,
    Missing,
    Transform,
    check_clustering,
    clustering_of,
)
from services.segment.clusterings.domain.describing import (
    MAX_NAME,
    Label,
    describe,
    free_of,
    proposal_of,
)
from services.segment.clusterings.domain.fitting import Fitted
from services.segment.clusterings.domain.matching import adjusted_rand, jaccard_of, match
from services.segment.clusterings.domain.matrix import points_of, scaling_of, takes_part
from services.segment.clusterings.domain.runs import Cluster, Difference, NotClusterable, Tried
from services.segment.seeding import attribute_of, read_words
from shared.errors import Invalid
from shared.paths import CATALOGUE
from shared.rules import AttributeType

WORDS = read_words(CATALOGUE)
NAMES = ("aum", "age", "logins")
LABELS = {name: Label(name.upper(), name) for name in NAMES}
SEEDS = st.integers(0, 2**31 - 1)
GROUPS = np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 4.0], [0.0, 9.0, -4.0], [9.0, 9.0, 9.0]])


def clustering(**changes: object) -> Clustering:
    measures = tuple(Measure(name=name) for name in NAMES)
    plain = Clustering(key="k", zh="群", en="Groups", measures=measures, k_min=4, k_max=4, starts=3)
    return replace(plain, **changes)


def population(rng: np.random.Generator, customers: int) -> np.ndarray:
    """Customers of four groups of unlike size, some way apart."""
    of = rng.choice(len(GROUPS), customers, p=[0.4, 0.3, 0.2, 0.1])
    return GROUPS[of] + rng.normal(size=(customers, len(NAMES)))


def grouped(values: np.ndarray, wanted: Clustering) -> tuple[np.ndarray, tuple[Cluster, ...]]:
    columns = list(values.T)
    scalings = [
        scaling_of(column, measure)
        for column, measure in zip(columns, wanted.measures, strict=True)
    ]
    points = points_of(columns, scalings, slice(None))
    fitted = [
        fitting.fit(wanted, points, k, judged=fitting.sample(len(points), 500, seed=wanted.seed))
        for k in fitting.numbers_to_try(wanted, points)
    ]
    best = fitting.choose(fitted, wanted.criterion)
    labels = fitting.assign(best.model, columns, scalings)
    return labels, describe(labels, columns, scalings)


def counts_of(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    counts = np.zeros((before.max() + 1, now.max() + 1), np.int64)
    np.add.at(counts, (before, now), 1)
    return counts


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_clusters_keep_their_names_when_one_customer_in_a_hundred_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = population(rng, 600)
    changed = values.copy()
    gone = rng.choice(600, 6, replace=False)
    changed[gone] = population(rng, 6)
    before, _ = grouped(values, clustering(seed=seed))
    now, _ = grouped(changed, clustering(seed=seed + 1))
    stay = np.setdiff1d(np.arange(600), gone)
    counts = counts_of(before[stay], now[stay])

    found = match(counts, np.zeros(counts.shape), at_least=0.5)

    assert {each.now for each in found} == {0, 1, 2, 3}
    assert all(each.jaccard > 0.9 for each in found)
    assert adjusted_rand(counts) > 0.9


@pytest.mark.parametrize("method", Method)
def test_equal_data_and_seed_give_the_same_bytes(method: Method) -> None:
    values = population(np.random.default_rng(7), 400)
    one, same = (grouped(values, clustering(method=method, seed=5)) for _ in range(2))

    assert one[0].tobytes() == same[0].tobytes()
    assert one[1] == same[1]


@pytest.mark.parametrize("method", Method)
def test_the_number_of_groups_that_are_there_is_chosen(method: Method) -> None:
    values = population(np.random.default_rng(1), 800)
    labels, clusters = grouped(values, clustering(method=method, k_min=2, k_max=6))

    assert len(clusters) == 4
    assert [each.size for each in clusters] == sorted(np.bincount(labels), reverse=True)
    assert sum(each.share for each in clusters) == pytest.approx(1)


def test_of_equally_good_numbers_the_least_is_chosen() -> None:
    def fitted(k: int, score: float) -> Fitted:
        return Fitted(None, Tried(k=k, score=score, inertia=None))  # pyright: ignore[reportArgumentType]

    rows = [fitted(3, 0.5), fitted(2, 0.5), fitted(4, 0.1)]
    assert fitting.choose(rows, Criterion.SILHOUETTE).tried.k == 2
    assert fitting.choose(rows, Criterion.BIC).tried.k == 4


def test_fewer_customers_than_clusters_are_refused_and_a_range_ends_at_them() -> None:
    points = np.array([[0.0], [0.0], [1.0], [2.0]])
    with pytest.raises(NotClusterable, match="3 customers differ"):
        fitting.numbers_to_try(clustering(k_min=4, k_max=9), points)

    assert fitting.numbers_to_try(clustering(k_min=2, k_max=9), points) == range(2, 4)


def test_a_sample_is_the_same_for_the_same_seed_and_no_larger_than_asked() -> None:
    one, same = (fitting.sample(1_000, 30, seed=3) for _ in range(2))

    assert one.tolist() == same.tolist() == sorted(set(one.tolist()))
    assert (len(one), len(fitting.sample(20, 30, seed=3))) == (30, 20)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e9, 1e9) | st.none(), min_size=1, max_size=40), st.sampled_from(Transform)
)
def test_a_column_becomes_one_of_mean_0_and_deviation_1_or_says_nothing(
    values: list[float | None], transform: Transform
) -> None:
    column = np.array([np.nan if value is None else value for value in values])
    scaling = scaling_of(column, Measure(name="aum", transform=transform))
    points = scaling.standardised(column)

    assert np.isfinite(points).all()
    if scaling.scale == 0:
        assert not points.any()
    else:
        assert points.mean() == pytest.approx(0, abs=1e-6)
        assert points.std() == pytest.approx(1, abs=1e-6)


def test_values_beyond_the_quantiles_count_as_those_and_missing_ones_as_the_median() -> None:
    column = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 1e9, np.nan])
    scaling = scaling_of(column, Measure(name="aum", clip_high=8 / 9))
    points = scaling.standardised(column)

    assert points[9] == points[8]
    assert points[10] == pytest.approx(points[4:6].mean())


def test_a_constant_attribute_sets_nobody_apart() -> None:
    values = population(np.random.default_rng(2), 200)
    values[:, 2] = 0.1
    _, clusters = grouped(values, clustering())

    assert {each.differences[-1].name for each in clusters} == {"logins"}
    assert all(each.profile["logins"] == 0 for each in clusters)


def test_missing_values_leave_out_or_are_told_with_the_cluster() -> None:
    values = population(np.random.default_rng(3), 200)
    values[:50, 1] = np.nan
    _, clusters = grouped(values, clustering())
    missing = sum(
        each.size * difference.missing_share
        for each in clusters
        for difference in each.differences
        if difference.name == "age"
    )

    assert missing == pytest.approx(50)
    assert takes_part(list(values.T), Missing.LEAVE_OUT).sum() == 150
    assert takes_part(list(values.T), Missing.MEDIAN).all()


def test_a_cluster_is_described_in_units_of_its_attributes_beside_the_population() -> None:
    column = np.array([10.0, 10, 30, 50])
    scaling = scaling_of(column, Measure(name="aum"))
    small, large = describe(np.array([0, 0, 1, 1], np.int32), [column], [scaling])

    assert [each.differences[0].mean for each in (small, large)] == [10, 40]
    assert [each.differences[0].index for each in (small, large)] == [40, 160]
    assert small.differences[0].z == pytest.approx(-large.differences[0].z)


def test_a_name_says_what_sets_a_cluster_apart_most() -> None:
    def named(**z: float) -> Label:
        differences = tuple(
            Difference(name=name, mean=None, index=None, z=each, missing_share=0)
            for name, each in z.items()
        )
        cluster = Cluster(number=1, size=1, share=1.0, differences=differences)
        return proposal_of(cluster, LABELS, WORDS)

    assert named(aum=2.0, age=-0.9, logins=0.8) == Label("AUM高 · AGE低", "aum: high · age: low")
    assert named(logins=0.7, aum=-0.1) == Label("LOGINS高", "logins: high")
    assert named(aum=0.2) == WORDS.average


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=MAX_NAME), st.integers(0, 12))
def test_a_name_is_given_once_and_stays_within_its_length(text: str, times: int) -> None:
    taken: set[Label] = set()
    for _ in range(times):
        name = free_of(Label(text, text), taken)
        assert name not in taken
        assert len(name.zh) <= MAX_NAME
        taken.add(name)


TABLES = st.integers(1, 4).flatmap(
    lambda rows: st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(0, 30), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
)


@settings(max_examples=100, deadline=None)
@given(TABLES, SEEDS)
def test_no_other_assignment_shares_more_customers(rows: list[list[int]], seed: int) -> None:
    counts = np.array(rows, np.int64)
    distances = np.random.default_rng(seed).random(counts.shape)
    overlaps = jaccard_of(counts)
    found = match(counts, distances, at_least=0)
    total = sum(each.jaccard for each in found)
    wide = overlaps if counts.shape[0] <= counts.shape[1] else overlaps.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(columns))
        for columns in permutations(range(wide.shape[1]), wide.shape[0])
    )

    assert total == pytest.approx(best, abs=1e-9)
    assert len({each.before for each in found}) == len({each.now for each in found}) == len(found)


def test_of_equal_overlaps_the_nearer_cluster_is_the_same() -> None:
    counts = np.array([[5, 5], [5, 5]], np.int64)
    found = match(counts, np.array([[1.0, 0.0], [0.0, 1.0]]), at_least=0)

    assert {(each.before, each.now) for each in found} == {(0, 1), (1, 0)}
    assert match(counts, np.zeros((2, 2)), at_least=0.5) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60))
def test_stability_is_the_adjusted_rand_index(pairs: list[tuple[int, int]]) -> None:
    before, now = (np.array(each) for each in zip(*pairs, strict=True))

    assert adjusted_rand(counts_of(before, now)) == pytest.approx(adjusted_rand_score(before, now))


def entry(
    name: str, kind: AttributeType = AttributeType.DECIMAL, *, sensitive: bool = False
) -> AttributeEntry:
    values = ("a", "b") if kind is AttributeType.ENUM else ()
    return AttributeEntry(
        name=name,
        owner=Owner.PROFILE,
        type=kind,
        zh=name,
        en=name,
        values=values,
        sensitive=sensitive,
    )


def test_what_has_no_mean_is_refused_with_its_place() -> None:
    entries = [entry("aum"), entry("age", AttributeType.ENUM)]
    with pytest.raises(Invalid) as refused:
        check_clustering(clustering(), entries)

    assert [each.pointer for each in refused.value.errors] == [
        "/measures/1/name",
        "/measures/2/name",
    ]
    twice = clustering(measures=(Measure(name="aum"), Measure(name="aum")))
    with pytest.raises(Invalid, match="grouped"):
        check_clustering(twice, entries)
    with pytest.raises(Invalid, match="no rule"):
        check_clustering(clustering(measures=twice.measures[:1], where="auum > 1"), entries)


def test_p5_a_sensitive_attribute_needs_its_separate_consent_also_in_the_population() -> None:
    entries = [entry("aum"), entry("children", sensitive=True)]
    by = clustering(measures=(Measure(name="children"),))
    among = clustering(measures=(Measure(name="aum"),), where="children > 0")
    for wanted in (by, among):
        with pytest.raises(SeparateConsentRequired, match="children"):
            check_clustering(wanted, entries)
        assert check_clustering(replace(wanted, separate_consent=True), entries)


def test_the_shipped_clusterings_fit_the_shipped_attributes() -> None:
    def load(name: str) -> Any:
        return yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text(encoding="utf-8"))

    entries = [attribute_of(each) for each in load("attributes")]
    shipped = load("clusterings")["clusterings"]
    assert shipped
    for each in shipped:
        assert check_clustering(clustering_of(each), entries).names

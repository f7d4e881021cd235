"""The plan of a fault run: drawn from its seed alone, and fair to all."""

from collections import Counter

from tests.faults.plan import GROUPS, LINE, How, Moment, plan

EVERYBODY = {target for group in GROUPS for target in group}


def kills(seed: int, count: int) -> list[str]:
    return [fault.target for fault in plan(seed, count) if fault.how is How.KILL]


def test_a_seed_always_draws_the_same_plan() -> None:
    assert plan(7, 30) == plan(7, 30)
    assert plan(7, 30) != plan(8, 30)


def test_a_longer_plan_begins_like_a_shorter_one() -> None:
    assert plan(7, 30)[:9] == plan(7, 6)


def test_thirty_kills_reach_everybody_at_least_twice() -> None:
    for seed in range(20):
        counts = Counter(kills(seed, 30))
        assert counts.total() == 30
        assert set(counts) == EVERYBODY
        assert min(counts.values()) >= 2


def test_six_kills_reach_every_group() -> None:
    for seed in range(20):
        targets = set(kills(seed, 6))
        assert all(targets & set(group) for group in GROUPS)


def test_kills_fall_between_send_and_confirm_too() -> None:
    moments = Counter(fault.moment for fault in plan(7, 30) if fault.how is How.KILL)
    assert moments == {Moment.ANY: 15, Moment.SENT: 10, Moment.HELD: 5}


def test_every_second_kill_is_followed_by_a_nuisance_that_passes() -> None:
    nuisances = [fault for fault in plan(7, 30) if fault.how is not How.KILL]
    assert len(nuisances) == 15
    assert all(fault.lasts > 0 for fault in nuisances)
    assert {fault.how for fault in nuisances} == {How.STOP, How.SLOW, How.CUT}
    assert all((fault.target == LINE) == (fault.how is not How.STOP) for fault in nuisances)

"""Which faults strike what, and when: drawn from a seed, so that a run can be repeated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

SERVICES = ("profile", "segment", "strategy", "feedback")
SERVERS = ("gateway", *SERVICES)
WORKERS = tuple(f"{service}-worker" for service in SERVICES)
POSTMASTER, BACKEND = "postgres", "backend"
SUPERVISOR, NURSERY = "supervisor", "nursery"
LINE = "line"
GROUPS = (("gateway",), SERVICES, WORKERS, (POSTMASTER, BACKEND), (SUPERVISOR, NURSERY))
STOPPABLE = (*SERVERS, *WORKERS, POSTMASTER, BACKEND, SUPERVISOR, NURSERY)

KILLS_BETWEEN_NUISANCES = 2
OVERLAPPING = 0.25
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.3, 2.0
SHORTEST_NUISANCE_SECONDS, LONGEST_NUISANCE_SECONDS = 0.5, 3.0
LONGEST_DELAY_SECONDS = 0.03


class How(StrEnum):
    """Kinds of faults: the first is final, the others pass."""

    KILL = "kill -9"
    STOP = "stop"
    SLOW = "slow answers"
    CUT = "cut answers"


class Moment(StrEnum):
    """What the client has just done when a fault strikes."""

    ANY = "any moment"
    SENT = "message sent, contact not confirmed"
    HELD = "quota reserved, sale not confirmed"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault, for `lasts` seconds if it passes.

    It strikes `pause` seconds after all is well again, or after the fault before if it overlaps
    that, and then `delay` seconds after the moment it awaits.
    """

    how: How
    target: str
    moment: Moment
    overlaps: bool
    pause: float
    delay: float = 0.0
    lasts: float = 0.0


def plan(seed: int, kills: int) -> list[Fault]:
    """Draw the faults of a run: so many kills, and a nuisance after every second one."""
    dice = Random(seed)
    targets, nuisances = _targets(dice), _nuisances(dice)
    faults: list[Fault] = []
    for number in range(kills):
        faults.append(_kill(next(targets), _moment(number), dice))
        if number % KILLS_BETWEEN_NUISANCES == KILLS_BETWEEN_NUISANCES - 1:
            faults.append(_nuisance(*next(nuisances), dice))
    return faults


def _targets(dice: Random) -> Iterator[str]:
    """Deal all targets again and again; each deal begins with one of every group."""
    while True:
        shuffled = [dice.sample(group, len(group)) for group in GROUPS]
        first, rest = [g[0] for g in shuffled], [target for g in shuffled for target in g[1:]]
        yield from dice.sample(first, len(first))
        yield from dice.sample(rest, len(rest))


def _nuisances(dice: Random) -> Iterator[tuple[How, str]]:
    while True:
        stopped: Sequence[str] = dice.sample(STOPPABLE, 2)
        yield from dice.sample(
            [(How.SLOW, LINE), (How.CUT, LINE), *((How.STOP, target) for target in stopped)], 4
        )


def _moment(number: int) -> Moment:
    """Let one kill in three fall between send and confirm, one in six between hold and confirm."""
    return {1: Moment.SENT, 3: Moment.HELD, 4: Moment.SENT}.get(number % 6, Moment.ANY)


def _kill(target: str, moment: Moment, dice: Random) -> Fault:
    return Fault(
        how=How.KILL,
        target=target,
        moment=moment,
        overlaps=dice.random() < OVERLAPPING,
        pause=dice.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
        delay=dice.choice((0.0, dice.uniform(0.0, LONGEST_DELAY_SECONDS))),
    )


def _nuisance(how: How, target: str, dice: Random) -> Fault:
    return Fault(
        how=how,
        target=target,
        moment=Moment.ANY,
        overlaps=dice.random() < OVERLAPPING,
        pause=dice.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
        lasts=dice.uniform(SHORTEST_NUISANCE_SECONDS, LONGEST_NUISANCE_SECONDS),
    )

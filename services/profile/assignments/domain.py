"""Giving customers without a manager to managers: planned, accepted by a second person, applied."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from heapq import heapify, heappop, heappush

from services.profile.managers.domain import Entry
from services.profile.vocabulary import OwnershipRule
from shared.errors import Conflict, NotFound, SecondPersonNeeded


class State(StrEnum):
    PLANNING = "planning"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    CANCELLED = "cancelled"


class Why(StrEnum):
    """Why a customer stays without a manager."""

    NO_RULE = "no_rule"
    NO_MANAGER = "no_manager"
    CAPACITY_FULL = "capacity_full"


class NoSuchAssignment(NotFound):
    code = "no_such_assignment"


class AssignmentSettled(Conflict):
    code = "assignment_settled"
    title = "The state of the assignment does not allow this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many customers a rule held for, and what becomes of them."""

    rule: str
    planned: int
    no_manager: int
    capacity_full: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Customers of a part of the bank whom rules give to its managers; `org` None: of all of it.

    `after` is the last customer that the step under way has looked at.
    """

    assignment_id: str
    org: str | None
    rules: tuple[OwnershipRule, ...]
    state: State
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    after: str = ""
    counts: tuple[Count, ...] = ()
    no_rule: int = 0
    applied: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Customers of one org unit for whom the same rule held."""

    rule: str
    org_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many customers of a group that go to a manager, or to none and why."""

    group: Group
    count: int
    rm_id: str | None = None
    why: Why | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many customers a manager has before a plan, and gets by it."""

    rm_id: str
    before: int
    planned: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a plan has in store for a customer, of `from_rm` before."""

    customer_id: str
    rule: str | None
    org_path: str
    from_rm: str | None
    rm_id: str | None = None
    why: Why | None = None


def allocate(
    counts: Mapping[Group, int], rules: Sequence[OwnershipRule], managers: Iterable[Entry]
) -> list[Share]:
    """Share groups of customers out to managers.

    Groups come in the order of their rules, then of their org units. Each customer goes to the
    manager whose load in relation to capacity is the smallest then, of equal ones to the first by
    id; `nearest` looks at the org unit above once nobody of this one has room. Which customers a
    group has, and in which order they were found, makes no difference.

    Args:
        counts: customers by group, at least 1 each.
        rules: those that the groups name.
        managers: the active ones, each once, with the customers they have.

    Returns:
        Shares that add up to `counts`, those of a group next to each other.
    """
    known = list(managers)
    loads = {each.manager.rm_id: each.customers for each in known}
    seats: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for each in known:
        for kind in each.manager.serves:
            seats[kind, each.manager.org_path].append(each)
    shares: list[Share] = []
    for place in rules:
        for group in sorted(each for each in counts if each.rule == place.key):
            parts = [seats[place.serves, org] for org in _orgs(place, group.org_path)]
            shares += _share_out(group, counts[group], parts, loads)
    return shares


def _orgs(rule: OwnershipRule, org_path: str) -> list[str]:
    if rule.org == "same":
        return [org_path]
    parts = org_path.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _share_out(
    group: Group, wanted: int, parts: Sequence[Sequence[Entry]], loads: dict[str, int]
) -> list[Share]:
    shares: list[Share] = []
    for managers in parts:
        given = _fill(managers, loads, wanted)
        wanted -= given.total()
        shares += [
            Share(group=group, count=count, rm_id=rm_id) for rm_id, count in sorted(given.items())
        ]
    if wanted:
        why = Why.CAPACITY_FULL if any(parts) else Why.NO_MANAGER
        shares.append(Share(group=group, count=wanted, why=why))
    return shares


def _fill(managers: Sequence[Entry], loads: dict[str, int], wanted: int) -> Counter[str]:
    """Give managers at most so many customers one by one; `loads` then says what they have."""
    given = Counter[str]()
    queue = [
        (loads[each.rm_id] / each.capacity, each.rm_id, each.capacity)
        for each in (entry.manager for entry in managers)
        if loads[each.rm_id] < each.capacity
    ]
    heapify(queue)
    for _ in range(wanted):
        if not queue:
            break
        _, rm_id, capacity = heappop(queue)
        given[rm_id] += 1
        loads[rm_id] += 1
        if loads[rm_id] < capacity:
            heappush(queue, (loads[rm_id] / capacity, rm_id, capacity))
    return given


def loads_of(shares: Iterable[Share], managers: Iterable[Entry]) -> list[Load]:
    """Return what managers have before and get, by id."""
    planned = Counter[str]()
    for each in shares:
        if each.rm_id is not None:
            planned[each.rm_id] += each.count
    return [
        Load(
            rm_id=each.manager.rm_id,
            before=each.customers,
            planned=planned[each.manager.rm_id],
            capacity=each.manager.capacity,
        )
        for each in sorted(managers, key=lambda each: each.manager.rm_id)
    ]


def counts_of(shares: Iterable[Share], rules: Sequence[OwnershipRule]) -> tuple[Count, ...]:
    """Return what becomes of the customers of each rule, in the order of the rules."""
    found = Counter[tuple[str, Why | None]]()
    for each in shares:
        found[each.group.rule, each.why] += each.count
    return tuple(
        Count(
            rule=each.key,
            planned=found[each.key, None],
            no_manager=found[each.key, Why.NO_MANAGER],
            capacity_full=found[each.key, Why.CAPACITY_FULL],
        )
        for each in rules
    )


def fitting(planned: Iterable[Planned], managers: Iterable[Entry]) -> dict[str, Planned]:
    """Return by id those customers whose manager is active still, and has room for them still."""
    room = {each.manager.rm_id: each.manager.capacity - each.customers for each in managers}
    found: dict[str, Planned] = {}
    for each in planned:
        if each.rm_id is not None and room.get(each.rm_id, 0) > 0:
            room[each.rm_id] -= 1
            found[each.customer_id] = each
    return found


def accepted(assignment: Assignment, by: str, at: datetime) -> Assignment:
    """Accept what another person proposed.

    Raises:
        SecondPersonNeeded: who proposed it would accept it.
        AssignmentSettled: it is still being planned, or was decided on.
    """
    if by == assignment.proposed_by:
        raise SecondPersonNeeded(f"{by} proposed it; another person has to accept")
    return _settled(assignment, State.ACCEPTED, by, at, State.PROPOSED)


def cancelled(assignment: Assignment, by: str, at: datetime) -> Assignment:
    """Call an assignment off before it is accepted.

    Raises:
        AssignmentSettled: it was decided on.
    """
    return _settled(assignment, State.CANCELLED, by, at, State.PLANNING, State.PROPOSED)


def _settled(
    assignment: Assignment, state: State, by: str, at: datetime, *allowed: State
) -> Assignment:
    if assignment.state not in allowed:
        raise AssignmentSettled(
            f"Assignment {assignment.assignment_id} is {assignment.state.value}"
        )
    return replace(assignment, state=state, decided_by=by, decided_at=at, after="")

"""Giving customers to managers by rules: the worker plans, a second person accepts, it applies."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
from anyio import to_thread

from services.profile.assignments import domain, repository
from services.profile.assignments.domain import Assignment, Planned, State, Why
from services.profile.assignments.repository import Free
from services.profile.customers import service as customers
from services.profile.customers.domain import Owner
from services.profile.features import service as features
from services.profile.managers import service as managers
from services.profile.managers.domain import Entry
from services.profile.ownership_rules import service as ownership_rules
from services.profile.ownership_rules.domain import Rulebook
from shared.clock import BusinessClock
from shared.database import Database
from shared.errors import Conflict, Forbidden
from shared.logging import log
from shared.rules import RuleError
from shared.tokens import Token

PLANNED_AT_ONCE = 2_000
GIVEN_AT_ONCE = 200


async def propose(
    connection: asyncpg.Connection, assignment_id: str, *, token: Token, clock: BusinessClock
) -> Assignment:
    """Have the worker plan who gets the customers of the token's part of the bank that have nobody.

    The rules are those of this moment. The same again stays the one it is.

    Raises:
        Forbidden: the token sees the customers of one manager alone.
        Conflict: the id was used by somebody else.
        OwnershipRulesUnreadable, OwnershipRuleNeedsSeparateConsent: the rules have to be mended.
    """
    if token.rm is not None:
        raise Forbidden("Customers are assigned by those who see their part of the bank")
    known = await repository.find(connection, assignment_id)
    if known is not None:
        if (known.org, known.proposed_by) != (token.org, token.author):
            raise Conflict(f"{assignment_id} is another one", code="assignment_differs")
        return known
    rules = (await ownership_rules.get(connection)).rules
    await ownership_rules.check(connection, rules)
    assignment = Assignment(
        assignment_id=assignment_id,
        org=token.org,
        rules=rules,
        state=State.PLANNING,
        proposed_by=token.author,
        proposed_at=clock.now(),
    )
    await repository.put(connection, assignment)
    return assignment


async def accept(
    connection: asyncpg.Connection, assignment_id: str, *, token: Token, clock: BusinessClock
) -> Assignment:
    """Accept a plan; the worker applies it.

    Raises:
        NoSuchAssignment: there is none, or it is not the token's to see.
        SecondPersonNeeded, AssignmentSettled: see `domain.accepted`.
    """
    found = await repository.hold(connection, assignment_id, token)
    return await _put(connection, domain.accepted(found, token.author, clock.now()))


async def cancel(
    connection: asyncpg.Connection, assignment_id: str, *, token: Token, clock: BusinessClock
) -> Assignment:
    """Call a plan off.

    Raises:
        NoSuchAssignment: there is none, or it is not the token's to see.
        AssignmentSettled: it was decided on.
    """
    found = await repository.hold(connection, assignment_id, token)
    return await _put(connection, domain.cancelled(found, token.author, clock.now()))


async def step(
    database: Database,
    clock: BusinessClock,
    *,
    plan: int = PLANNED_AT_ONCE,
    give: int = GIVEN_AT_ONCE,
) -> bool:
    """Plan for some customers of the oldest assignment, or give some; tell whether there was one.

    Args:
        database: of profile.
        clock: of the bank.
        plan: for how many customers, at most; nobody waits for it.
        give: how many customers, at most, who are locked meanwhile.
    """
    async with database.transaction() as connection:
        assignment = await repository.find_due(connection)
        if assignment is None:
            return False
        if assignment.state is State.PLANNING:
            assignment = await _plan(connection, assignment, clock, plan)
        else:
            assignment = await _give(connection, assignment, clock, give)
        await repository.put(connection, assignment)
    return True


async def _plan(
    connection: asyncpg.Connection, assignment: Assignment, clock: BusinessClock, limit: int
) -> Assignment:
    try:
        rules = await ownership_rules.compiled(connection, assignment.rules)
    except RuleError as error:
        log.warning(
            "assignment_unreadable", assignment_id=assignment.assignment_id, reason=str(error)
        )
        return replace(assignment, state=State.CANCELLED, decided_at=clock.now())
    found = await repository.list_free(connection, assignment, rules.reads, limit=limit)
    planned = await to_thread.run_sync(_planned, found, rules)
    await repository.add_planned(connection, assignment, planned)
    if len(found) == limit:
        return replace(assignment, after=found[-1].customer_id)
    return await _share_out(connection, assignment)


def _planned(found: Sequence[Free], rules: Rulebook) -> list[Planned]:
    first = [rules.first(each.values) for each in found]
    return [
        Planned(
            customer_id=each.customer_id,
            rule=rule,
            org_path=each.org_path,
            from_rm=each.rm_id,
            why=Why.NO_RULE if rule is None else None,
        )
        for each, rule in zip(found, first, strict=True)
    ]


async def _share_out(connection: asyncpg.Connection, assignment: Assignment) -> Assignment:
    groups, no_rule = await repository.count_groups(connection, assignment)
    entries = [
        each for each in await managers.list_active(connection) if _is_of(each, assignment.org)
    ]
    shares = await to_thread.run_sync(domain.allocate, groups, assignment.rules, entries)
    await repository.settle(connection, assignment, shares)
    await repository.add_loads(connection, assignment, domain.loads_of(shares, entries))
    return replace(
        assignment,
        state=State.PROPOSED,
        after="",
        counts=domain.counts_of(shares, assignment.rules),
        no_rule=no_rule,
    )


async def _give(
    connection: asyncpg.Connection, assignment: Assignment, clock: BusinessClock, limit: int
) -> Assignment:
    """Give the next customers to whom they were planned for, unless something came between."""
    planned = await repository.list_to_give(connection, assignment, limit=limit)
    ids = [each.customer_id for each in planned]
    await features.lock(connection, ids)
    free = await repository.list_free_among(connection, ids)
    able = await managers.hold(connection, sorted({each.rm_id for each in planned if each.rm_id}))
    given = domain.fitting((each for each in planned if each.customer_id in free), able)
    await customers.set_managers(
        connection,
        {customer_id: each.rm_id for customer_id, each in given.items() if each.rm_id},
        by=assignment.assignment_id,
        rules={customer_id: each.rule for customer_id, each in given.items()},
        clock=clock,
    )
    is_done = len(planned) < limit
    return replace(
        assignment,
        state=State.APPLIED if is_done else State.ACCEPTED,
        after="" if is_done else ids[-1],
        applied=assignment.applied + len(given),
        skipped=assignment.skipped + len(planned) - len(given),
    )


def _is_of(entry: Entry, org: str | None) -> bool:
    manager = entry.manager
    return Owner(org_path=manager.org_path, rm_id=manager.rm_id).is_under(org, None)


async def _put(connection: asyncpg.Connection, assignment: Assignment) -> Assignment:
    await repository.put(connection, assignment)
    return assignment

"""Deciding: one read, plain arithmetic, one write; in time, or an empty answer that says so."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.catalogue.service import Catalogues
from services.strategy.channels.domain import Direction, UnknownChannel
from services.strategy.contacts import service as contacts
from services.strategy.customers import repository as customers
from services.strategy.customers.domain import Customer, zone_of
from services.strategy.customers.service import reaches
from services.strategy.decisions import repository
from services.strategy.decisions.domain.answer import (
    announcement_of,
    answer_of,
    chosen_of,
)
from services.strategy.decisions.domain.breaker import Breaker
from services.strategy.decisions.domain.decide import Decision, decide
from services.strategy.decisions.domain.explanation import Explained, explain
from services.strategy.decisions.domain.knowledge import Knowledge
from services.strategy.decisions.domain.record import pack, pack_shortlist, unpack
from services.strategy.decisions.repository import Known, Question, Record, Written
from services.strategy.entries import repository as entries
from services.strategy.funnel.domain.situation import Mode, Situation
from services.strategy.gates.domain.refusal import Refusal
from services.strategy.propensities import repository as propensities
from services.strategy.segments import service as segments
from services.strategy.segments.service import Segmentation
from services.strategy.settings import Settings
from services.strategy.sources import service as sources
from services.strategy.sources.domain import LANES, Sources, old_ones
from shared.clock import BusinessClock
from shared.database import Database
from shared.errors import FieldError, NotFound, Unavailable
from shared.feed import wait_applied
from shared.gathering import Gathering
from shared.ids import new_id
from shared.logging import log
from shared.tokens import Token
from shared.trace import traceparent

JSON_OPTIONS = orjson.OPT_UTC_Z
TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # TimeoutError is an OSError


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller asked for.

    `wait_for` is the event that must have been applied; `must_exist`: an unknown customer is an
    error and not an empty answer.
    """

    customer_id: str
    channel: str
    direction: Direction = Direction.IN
    placements: Sequence[str] = ()
    context: tuple[tuple[str, str], ...] = ()
    limit: int = 3
    request_id: str | None = None
    is_dry_run: bool = False
    wants_personalization: bool = True
    wait_for: str | None = None
    must_exist: bool = False


class Decider:
    """Decides in one server process; holds the compiled catalogue and what was learnt."""

    def __init__(self, database: Database, clock: BusinessClock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._catalogues = Catalogues()
        self._knowledge: Knowledge | None = None
        self._segmentation: Segmentation | None = None
        self._sources = Sources()
        self._breaker = Breaker()
        self._reads = Gathering(self._read)
        self._writes = Gathering(self._write)

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Load what is known, then follow its changes until the context ends."""
        await self.refresh()
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def refresh(self) -> Knowledge:
        """Return what is known now, reading only what changed."""
        async with self._database.connection() as connection:
            catalogue = await entries.head_version(connection)
            learnt = await propensities.head_version(connection)
            known = self._knowledge
            if known is None or (known.catalogue.version, known.version) != (catalogue, learnt):
                known = await self._knowledge_of(connection, catalogue, learnt)
                self._knowledge = known
            words = known.catalogue.shelf.attributes
            self._segmentation = await segments.current(connection, words, self._segmentation)
            self._sources = await sources.read(connection)
        return known

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue as this process knows it.

        Raises:
            Unavailable: before the first one was read.
        """
        if self._knowledge is None:
            raise Unavailable("The catalogue is being read; try again in a moment")
        return self._knowledge.catalogue

    async def decide(self, request: Request, token: Token) -> bytes:
        """Return the answer as JSON, within the budget.

        Raises:
            NotFound: the token does not reach this customer.
            UnknownChannel: the bank has no such channel.
        """
        token.must_see(request.customer_id)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.decision_budget.total_seconds()):
                answer = await self._decide(request, token)
        except TROUBLE as error:
            self._note(started, in_time=False)
            log.warning("decision_failed", kind=type(error).__name__)
            cause = "budget_exceeded" if isinstance(error, TimeoutError) else "unavailable"
            answer = empty_answer(request.customer_id, decision_id=new_id(), cause=cause)
            return orjson.dumps(answer, option=JSON_OPTIONS)
        self._note(started, in_time=True)
        return answer

    async def record_of(self, decision_id: str, token: Token) -> Record:
        """Return a decision from the log.

        Raises:
            NotFound: there is none, or it is not the token's to see.
        """
        async with self._database.connection() as connection:
            record = await repository.get(connection, decision_id)
            known = await customers.find(connection, record.customer_id)
        if token.customer not in {None, record.customer_id} or not reaches(token, known):
            raise NotFound(f"No decision {decision_id}")
        return record

    async def explain(self, record: Record) -> tuple[bool, list[Explained]]:
        """Make a decision again: does the same come out, and what became of each treatment?"""
        async with self._database.connection() as connection:
            knowledge = await self._knowledge_of(
                connection, record.catalogue_version, record.propensity_version
            )
        situation = unpack(
            knowledge.catalogue,
            record.situation,
            customer_id=record.customer_id,
            channel=record.channel,
            direction=record.direction,
        )
        arena = knowledge.arena(record.channel, record.direction)
        beliefs = knowledge.beliefs(arena, situation.today)
        decision = decide(knowledge.catalogue, arena, beliefs, situation)
        is_same = chosen_of(decision, record.decision_id) == record.chosen
        return is_same, explain(decision, arena, beliefs) if arena and beliefs else []

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._settings.catalogue_poll.total_seconds())
            try:
                await self.refresh()
            except TROUBLE as error:
                log.warning("catalogue_not_read", kind=type(error).__name__)

    async def _knowledge_of(
        self, connection: asyncpg.Connection, catalogue: int, learnt: int
    ) -> Knowledge:
        return Knowledge(
            await self._catalogues.as_of(connection, catalogue),
            await propensities.list_evidence(connection, learnt),
            version=learnt,
        )

    async def _decide(self, request: Request, token: Token) -> bytes:
        knowledge, now = self._knowledge or await self.refresh(), self._clock.now()
        _must_know(knowledge, request.channel)
        is_applied = request.wait_for is None or await self._has_applied(request.wait_for)
        question = _question(request, token)
        known = await self._reads.ask(question)
        is_missing = request.must_exist and known.customer is None
        if is_missing or not reaches(token, known.customer):
            raise NotFound(f"No customer {request.customer_id}")
        if known.answered is not None:
            return known.answered
        decision_id = new_id()
        situation, degraded_by = self._situation(
            request, known, now, seed=_seed_of(decision_id), is_applied=is_applied
        )
        if request.direction is Direction.OUT:
            situation = replace(situation, held_back=await self._held_back(knowledge, situation))
        made = _make(knowledge, known, situation, degraded_by, decision_id)
        answer = _answer(knowledge, request, known, made, self._ages())
        if request.is_dry_run:
            return answer
        if await self._writes.ask(_written(knowledge, request, token, made, answer)):
            return answer
        again = await self._reads.ask(question)
        return again.answered or answer

    async def _has_applied(self, event_id: str) -> bool:
        longest = self._settings.longest_wait_for.total_seconds()
        async with self._database.connection() as connection:
            return await wait_applied(connection, event_id, longest)

    async def _read(self, questions: Sequence[Question]) -> list[Known]:
        async with self._answering() as (connection, since):
            return await repository.read(
                connection, questions, remembered_since=since, now=self._clock.now()
            )

    async def _write(self, decisions: Sequence[Written]) -> list[bool]:
        async with self._answering() as (connection, since):
            return await repository.write(connection, decisions, remembered_since=since)

    @asynccontextmanager
    async def _answering(self) -> AsyncGenerator[tuple[asyncpg.Connection, datetime]]:
        """Lend a connection for no longer than anybody waits, and since when requests count."""
        since = self._clock.now() - self._settings.request_memory
        budget = self._settings.decision_budget.total_seconds()
        async with asyncio.timeout(budget), self._database.connection() as connection:
            yield connection, since

    def _situation(
        self, request: Request, known: Known, now: datetime, *, seed: int, is_applied: bool
    ) -> tuple[Situation, list[str]]:
        """Return the situation, and what makes the answer a degraded one."""
        age, bank_zone = known.consents_age_seconds, ZoneInfo(self._settings.bank_zone)
        has_lease = age is not None and age <= self._settings.consent_lease.total_seconds()
        is_open = self._breaker.is_open(time.monotonic())
        limit = self._settings.source_limit.total_seconds()
        missing = {
            "consent_lease_ended": not has_lease,
            "wait_for_not_applied": not is_applied,
            "customer_held": known.is_held,
            "breaker_open": is_open,
        }
        reasons = [name for name, is_missing in missing.items() if is_missing]
        customer = known.customer or Customer(id=request.customer_id)
        if self._segmentation is not None:
            customer = self._segmentation.placed(customer)
        situation = Situation(
            customer=customer,
            channel=request.channel,
            direction=request.direction,
            now=now,
            today=now.astimezone(bank_zone).date(),
            zone=zone_of(customer, bank_zone),
            limit=request.limit,
            seed=seed,
            context=request.context,
            exhausted=known.exhausted,
            consent_is_current=has_lease and is_applied,
            is_reachable=not known.is_held,
            wants_personalization=request.wants_personalization,
            uses_defaults=is_open,
        )
        return situation, [*reasons, *old_ones(self._ages(), limit_seconds=limit)]

    def _ages(self) -> dict[str, float | None]:
        return self._sources.ages_at(time.monotonic())

    async def _held_back(self, knowledge: Knowledge, situation: Situation) -> Refusal | None:
        channel = knowledge.catalogue.channel(situation.channel)
        if channel is None:
            return None
        async with self._database.connection() as connection:
            return await contacts.held_back_now(connection, knowledge.catalogue, channel, situation)

    def _note(self, started: float, *, in_time: bool) -> None:
        self._breaker = self._breaker.after(
            in_time=in_time,
            at=time.monotonic(),
            limit=self._settings.breaches,
            pause_seconds=self._settings.breaker_pause.total_seconds(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """One decision with its id, and what makes it a degraded one."""

    id: str
    decision: Decision
    situation: Situation
    degraded_by: list[str]


def _must_know(knowledge: Knowledge, channel: str) -> None:
    if knowledge.catalogue.channel(channel) is None:
        known = ", ".join(sorted(knowledge.catalogue.shelf.channels))
        raise UnknownChannel(
            f"No channel {channel}; this bank has {known}",
            errors=[FieldError("/channel", "unknown channel")],
        )


def _make(
    knowledge: Knowledge,
    known: Known,
    situation: Situation,
    degraded_by: list[str],
    decision_id: str,
) -> _Made:
    arena = knowledge.arena(situation.channel, situation.direction)
    beliefs = knowledge.beliefs(arena, situation.today)
    decision = decide(knowledge.catalogue, arena, beliefs, situation)
    if known.customer is None:
        decision = replace(decision, cause="unknown_customer")
    return _Made(id=decision_id, decision=decision, situation=situation, degraded_by=degraded_by)


def _answer(
    knowledge: Knowledge,
    request: Request,
    known: Known,
    made: _Made,
    ages: Mapping[str, float | None],
) -> bytes:
    as_of: dict[str, object] = {
        "features": made.situation.customer.features_at,
        "memberships": made.situation.customer.memberships_at,
        "consents_age_seconds": known.consents_age_seconds,
        **{f"{name}_age_seconds": age for name, age in ages.items()},
        "catalogue_version": knowledge.catalogue.version,
        "propensity_version": knowledge.version,
    }
    answer = answer_of(
        made.decision,
        decision_id=made.id,
        customer_id=made.situation.customer.id,
        degraded_by=made.degraded_by,
        as_of=as_of,
        placements=request.placements,
    )
    return orjson.dumps(answer, option=JSON_OPTIONS)


def _question(request: Request, token: Token) -> Question:
    request_id = None if request.is_dry_run else request.request_id
    return Question(
        customer_id=request.customer_id, client_id=token.client_id, request_id=request_id
    )


def _written(
    knowledge: Knowledge, request: Request, token: Token, made: _Made, answer: bytes
) -> Written:
    return Written(
        record=_record(knowledge, request, made),
        client_id=token.client_id,
        request_id=request.request_id,
        answer=answer,
        event_id=new_id(),
        event=_event(request, made),
        traceparent=traceparent(),
    )


def _record(knowledge: Knowledge, request: Request, made: _Made) -> Record:
    return Record(
        customer_id=made.situation.customer.id,
        decision_id=made.id,
        at=made.situation.now,
        channel=request.channel,
        direction=request.direction,
        placement=request.placements[0] if request.placements else None,
        mode=made.decision.mode,
        degraded=made.degraded_by,
        cause=made.decision.cause,
        catalogue_version=knowledge.catalogue.version,
        propensity_version=knowledge.version,
        situation=pack(knowledge.catalogue, made.situation),
        shortlist=pack_shortlist(made.decision.shortlist),
        chosen=chosen_of(made.decision, made.id),
    )


def _event(request: Request, made: _Made) -> str:
    data = announcement_of(
        made.decision,
        decision_id=made.id,
        customer_id=made.situation.customer.id,
        channel=request.channel,
        direction=request.direction,
        at=made.situation.now,
        is_degraded=bool(made.degraded_by),
    )
    return orjson.dumps(data, option=JSON_OPTIONS).decode()


def _seed_of(decision_id: str) -> int:
    """Return the decision's own dice: 63 bits of its id, so that the log need not keep them."""
    return int.from_bytes(blake2b(decision_id.encode(), digest_size=8).digest()) >> 1


def empty_answer(customer_id: str, *, decision_id: str, cause: str) -> dict[str, object]:
    """Return the answer that needs nothing: no proposition, marked degraded, not recorded."""
    as_of: dict[str, object] = {
        "features": None,
        "memberships": None,
        "consents_age_seconds": None,
        **{f"{name}_age_seconds": None for name in LANES},
        "catalogue_version": 0,
        "propensity_version": 0,
    }
    return answer_of(
        Decision(mode=Mode.DEFAULTS, propositions=(), shortlist=(), funnel=None, cause=cause),
        decision_id=decision_id,
        customer_id=customer_id,
        degraded_by=[cause],
        as_of=as_of,
        placements=(),
    )

"""What a reader does with events: handlers, and runs of events for one handler each."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import asyncpg

from shared.client import ServiceClient
from shared.feed.events import Event

Apply = Callable[[asyncpg.Connection, Sequence[Event], Any], Awaitable[None]]
Gather = Callable[[ServiceClient, Sequence[Event]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Handler:
    """Applies events of some types.

    `apply(connection, events, gathered)` writes in the transaction that also moves the cursor; it
    calls nobody. `gather(client, events)` fetches what that needs beforehand, over HTTP; what it
    gets may include events that turn out to be known.
    """

    types: Collection[str]
    apply: Apply
    gather: Gather | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive events of one handler, with what it gathered for them."""

    handler: Handler
    events: Sequence[Event]
    gathered: Any = None


def runs_of(handlers: Sequence[Handler], events: Iterable[Event]) -> list[Run]:
    """Cut events into runs, in order; a type without a handler is left out.

    So is an event that is empty, because its subject was erased after it was published.
    """
    by_type = {name: handler for handler in handlers for name in handler.types}
    known = [event for event in events if event.type in by_type and event.data]
    return [
        Run(by_type[group[0].type], group)
        for _, members in groupby(known, key=lambda event: id(by_type[event.type]))
        if (group := list(members))
    ]


async def gather(client: ServiceClient, runs: Sequence[Run]) -> list[Run]:
    """Let the handlers fetch what they need before the transaction."""
    return [
        Run(run.handler, run.events, await run.handler.gather(client, run.events))
        if run.handler.gather
        else run
        for run in runs
    ]

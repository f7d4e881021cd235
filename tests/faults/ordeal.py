"""The ordeal: a client at work, faults that strike, and then quiet."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from random import Random

from tests.e2e.running import RunningSuite
from tests.faults import bank
from tests.faults.books import Books
from tests.faults.crm import Crm
from tests.faults.desks import Desk
from tests.faults.ledger import Fate, Ledger
from tests.faults.line import Line
from tests.faults.moments import Moments
from tests.faults.pages import EventDesk, PageDesk
from tests.faults.plan import SERVICES, plan
from tests.faults.sales import ContactDesk, SaleDesk, settle_contact, settle_sale
from tests.faults.story import Story
from tests.faults.strikes import Injector
from tests.faults.victims import Victims

DESKS = (EventDesk, PageDesk, ContactDesk, SaleDesk)
DESKS_OF_A_KIND = 2
LAST_WORD_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What is left when all is quiet again."""

    suite: RunningSuite
    story: Story
    ledger: Ledger
    books: Books
    customers: list[str]
    epochs: dict[str, str]


async def go_through(suite: RunningSuite, story: Story) -> Aftermath:
    """Let the client work while the faults of the story's seed strike, until all is settled."""
    dice = Random(story.seed)
    ledger, moments, books = Ledger(quotas=bank.QUOTAS), Moments(), Books(suite)
    async with (
        Line(suite.url, dice).opened() as line,
        aclosing(Crm(line.url, "crm", suite.data / "secrets" / "crm", ledger, dice)) as crm,
        aclosing(Victims(suite, dice)) as victims,
    ):
        customers = await bank.found(crm)
        epochs = {service: books.feed(service).epoch for service in SERVICES}
        desks = [
            kind(crm, ledger, moments, customers, name=f"{kind.__name__}-{n}", seed=story.seed)
            for kind in DESKS
            for n in range(DESKS_OF_A_KIND)
        ]
        try:
            await _work(desks, Injector(suite, victims, line, moments, story), story, crm)
            await _settle(desks[0], ledger)
        finally:
            story.totals = _totals(ledger)
    return Aftermath(
        suite=suite,
        story=story,
        ledger=ledger,
        books=books,
        customers=customers,
        epochs=epochs,
    )


async def _work(desks: Sequence[Desk], injector: Injector, story: Story, crm: Crm) -> None:
    """Work until the last fault is overcome; whoever waits for a word gets some time for it."""
    closing = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for desk in desks:
            tasks.create_task(desk.work(closing))
        await injector.carry_out(plan(story.seed, story.kills))
        closing.set()
        crm.deadline = time.monotonic() + LAST_WORD_SECONDS


async def _settle(desk: Desk, ledger: Ledger) -> None:
    """Settle what the client gave up settling: it wrote down what it meant to do."""
    for contact in ledger.contacts:
        if contact.settled is Fate.UNKNOWN:
            await settle_contact(desk, contact)
    for sale in ledger.sales:
        if sale.settled is Fate.UNKNOWN:
            await settle_sale(desk, sale)


def _totals(ledger: Ledger) -> dict[str, int]:
    return {
        "events": sum(len(batch.events) for batch in ledger.batches),
        "decisions": len(ledger.decisions),
        "outcomes": len(ledger.outcomes),
        "contacts": len(ledger.contacts),
        "messages": ledger.sends.total(),
        "sales": len(ledger.sales),
        "without a word": sum(
            each.fate is Fate.UNKNOWN
            for kind in (ledger.batches, ledger.outcomes, ledger.contacts, ledger.sales)
            for each in kind
        ),
    }

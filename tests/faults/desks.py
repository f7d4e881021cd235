"""The client's desks: each does one kind of work, and writes down what it was told."""

import asyncio
from collections.abc import Sequence
from random import Random

from tests.faults.crm import Answer, Crm
from tests.faults.ledger import Ledger
from tests.faults.moments import Moments

LONGEST_PAUSE_SECONDS = 0.15
GIVES_UP, TRIES_BEFORE_GIVING_UP = 0.05, (1, 2)


class Desk:
    """One desk; its dice are its own, so that what it wants does not hang on the others."""

    def __init__(
        self,
        crm: Crm,
        ledger: Ledger,
        moments: Moments,
        customers: Sequence[str],
        *,
        name: str,
        seed: int,
    ) -> None:
        self.crm = crm
        self.ledger = ledger
        self.moments = moments
        self.customers = customers
        self.name = name
        self.dice = Random(f"{seed} {name}")
        self._numbers = 0

    async def work(self, closing: asyncio.Event) -> None:
        """Work until closing time; what was begun is finished."""
        while not closing.is_set():
            await self.step()
            await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE_SECONDS))

    async def step(self) -> None:
        """Do one piece of work."""
        raise NotImplementedError

    def new_id(self) -> str:
        self._numbers += 1
        return f"{self.name}-{self._numbers}"

    def customer(self) -> str:
        return self.dice.choice(self.customers)

    def patience(self) -> int | None:
        """Draw how often to try: now and then the client itself breaks down and gives up."""
        if self.dice.random() < GIVES_UP:
            return self.dice.choice(TRIES_BEFORE_GIVING_UP)
        return None

    def wonder(self, what: str, answer: Answer) -> None:
        """Note an answer that this desk should never get."""
        self.ledger.surprises.append(f"{what}: {answer.status} {dict(answer.body)}")

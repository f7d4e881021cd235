"""The other services as this one sees them, all behind the gateway."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from services.strategy.customers.domain import Consent
from services.strategy.customers.service import consent_of
from shared.client import ServiceClient
from shared.errors import DomainError, NotFound, Refused
from shared.logging import log


class ConsentUnknown(Refused):
    code = "consent_unknown"
    title = "Whether the customer agrees cannot be known now"


WARM_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsNow:
    """What the customer allows at this moment."""

    consents: tuple[Consent, ...]
    personalization: bool
    automated_decisions: bool


class Profile:
    """Profile, as far as contacts need it."""

    def __init__(self, client: ServiceClient, *, deadline: timedelta) -> None:
        self._client = client
        self._deadline_seconds = deadline.total_seconds()

    @asynccontextmanager
    async def kept_warm(self) -> AsyncGenerator[None]:
        """Keep token and connection ready: getting a token alone would take the whole deadline."""
        task = asyncio.create_task(self._keep_warm())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_warm(self) -> None:
        while True:
            try:
                await self._client.get("/v1/me")
            except DomainError as error:
                log.debug("gateway_not_reached", reason=str(error))
            await asyncio.sleep(WARM_SECONDS)

    async def consents_of(self, customer_id: str) -> ConsentsNow:
        """Read a customer's consents from their owner, now.

        Raises:
            NotFound: profile does not know the customer.
            ConsentUnknown: no answer in time, or one that more is to come; nothing may be sent.
        """
        try:
            response = await self._client.get(
                f"/v1/customers/{customer_id}/consents", deadline_seconds=self._deadline_seconds
            )
        except NotFound:
            raise
        except DomainError as error:
            raise ConsentUnknown(
                "Profile did not say in time whether the customer agrees; try again later"
            ) from error
        answer = response.json()
        if answer["pending"]:
            raise ConsentUnknown("What the customer said last is being published; try again")
        return ConsentsNow(
            consents=tuple(consent_of(item) for item in answer["consents"]),
            personalization=answer["personalization"],
            automated_decisions=answer["automated_decisions"],
        )

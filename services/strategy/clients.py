"""The other services as this one sees them, all behind the gateway."""

from dataclasses import dataclass
from datetime import timedelta

from services.strategy.customers.domain import Consent
from services.strategy.customers.service import consent_of
from shared.client import ServiceClient
from shared.errors import DomainError, NotFound, Refused


class ConsentUnknown(Refused):
    code = "consent_unknown"
    title = "Whether the customer agrees cannot be known now"


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

    async def consents_of(self, customer_id: str) -> ConsentsNow:
        """Read a customer's consents from their owner, now.

        Raises:
            NotFound: profile does not know the customer.
            ConsentUnknown: no answer in time; nothing may be sent.
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
        return ConsentsNow(
            consents=tuple(consent_of(item) for item in answer["consents"]),
            personalization=answer["personalization"],
            automated_decisions=answer["automated_decisions"],
        )

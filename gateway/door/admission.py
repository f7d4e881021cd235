"""Who may enter: a valid token of a client that is not disabled, within its rate."""

from collections import OrderedDict
from collections.abc import Mapping

from gateway.clients.domain import Client
from gateway.directory import Directory
from gateway.door.incoming import Incoming
from gateway.door.limits import ClientLimits
from gateway.door.refusals import ClientRevoked
from gateway.staff import domain as staff
from gateway.staff.domain import ActorRefused, Role
from gateway.tokens import domain as tokens
from gateway.tokens.service import TokenServer
from gateway.tokens.verifier import OwnVerifier
from shared.clock import real_now
from shared.tokens import Token

REMEMBERED_ACTORS = 20_000


class Admission:
    """Checks each request once, before anything of it travels on."""

    def __init__(
        self,
        *,
        verifier: OwnVerifier,
        directory: Directory,
        server: TokenServer,
        limits: ClientLimits,
        roles: Mapping[str, Role],
    ) -> None:
        self._verifier = verifier
        self._directory = directory
        self._server = server
        self._limits = limits
        self._roles = roles
        self._acting: OrderedDict[tuple[str, str, int], tuple[str, int]] = OrderedDict()

    async def admit(self, incoming: Incoming) -> str:
        """Return the Authorization header the request travels on with.

        Raises:
            Unauthenticated: no valid token, or its client has been disabled.
            ActorRefused: the client may not act for staff, or not for this person.
            RateLimited: the client sends too much.
        """
        header = incoming.authorization
        token = await self._verifier.verify(header)
        client = self._directory.known.clients.get(token.client_id)
        if client is None or client.disabled_at is not None:
            raise ClientRevoked(f"The client {token.client_id} has been disabled")
        await self._limits.count(client)
        if incoming.actor is None:
            return header or ""
        return f"Bearer {await self._acting_token(header or '', token, client, incoming.actor)}"

    async def _acting_token(self, header: str, token: Token, client: Client, actor: str) -> str:
        """A token that names the person, remembered until it ends or anything changes."""
        now = real_now()
        key = (header, actor, self._directory.known.revision)
        known = self._acting.get(key)
        if known is not None and known[1] > now.timestamp():
            return known[0]
        if not client.act_for_staff:
            raise ActorRefused(f"The client {client.client_id} may not act for staff")
        person = await self._directory.staff(actor)
        if person is None:
            raise ActorRefused("Bihuan-Actor names nobody on the staff table")
        claims = staff.claims_of(person, self._roles, token.scopes)
        signed = self._server.sign_on_behalf(token, tokens.on_behalf(token, claims), now=now)
        self._acting[key] = (signed, token.expires_at)
        while len(self._acting) > REMEMBERED_ACTORS:
            self._acting.popitem(last=False)
        return signed

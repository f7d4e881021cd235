"""The token endpoint: who asks, may they, and the signed answer."""

from datetime import UTC, datetime, timedelta

from limits import RateLimitItem, parse
from limits.aio.strategies import FixedWindowRateLimiter

from gateway.clients import repository
from gateway.clients.domain import Client
from gateway.clients.secrets import SecretChecker
from gateway.directory import Directory
from gateway.keys import domain as keys
from gateway.settings import Settings
from gateway.tokens import domain
from gateway.tokens.domain import Grant, Issuer, Request, TokenRefused, invalid_client
from shared.database import Database
from shared.ids import new_id
from shared.logging import log
from shared.tokens import Token


class TokenServer:
    """Authenticates clients and signs tokens."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        directory: Directory,
        limiter: FixedWindowRateLimiter,
    ) -> None:
        self._settings = settings
        self._database = database
        self._directory = directory
        self._checker = SecretChecker(settings.verified_secret_lifetime)
        self._limiter = limiter
        self._checks: RateLimitItem = parse(settings.secret_checks)

    async def grant(self, request: Request, *, now: datetime) -> Grant:
        """Authenticate the client and decide what it is granted.

        Raises:
            TokenRefused: by RFC 6749 §5.2.
        """
        client = await self._authenticate(request, now=now)
        if client.disabled_at is not None:
            raise invalid_client("The client has been disabled")
        return domain.grant(client, request)

    def sign(self, granted: Grant, *, now: datetime) -> str:
        """Sign a token of the usual lifetime."""
        return domain.issue(
            self._issuer(),
            granted,
            jti=new_id(),
            now=now,
            expires_at=now + self._settings.token_lifetime,
        )

    def sign_on_behalf(self, token: Token, granted: Grant, *, now: datetime) -> str:
        """Sign what replaces a client's token for one person; it ends with that token."""
        expires_at = datetime.fromtimestamp(token.expires_at, UTC)
        return domain.issue(
            self._issuer(),
            granted,
            jti=new_id(),
            now=now,
            expires_at=min(expires_at, now + self._settings.token_lifetime),
        )

    @property
    def lifetime(self) -> timedelta:
        """How long a token is valid."""
        return self._settings.token_lifetime

    def _issuer(self) -> Issuer:
        return Issuer(
            name=self._settings.token_issuer,
            audience=self._settings.token_audience,
            key=keys.current(self._directory.known.keys),
        )

    async def _authenticate(self, request: Request, *, now: datetime) -> Client:
        if request.assertion is not None:
            return await self._by_assertion(request, request.assertion, now=now)
        if not request.client_id or request.client_secret is None:
            raise invalid_client("Send the client's id and secret by HTTP Basic")
        return await self._by_secret(request.client_id, request.client_secret, now=now)

    async def _by_secret(self, client_id: str, secret: str, *, now: datetime) -> Client:
        client = self._directory.known.clients.get(client_id)
        if client is not None and self._checker.remembers(client, secret, now=now):
            return client
        if not await self._limiter.hit(self._checks, "secret", client_id):
            raise TokenRefused(
                "slow_down", "Too many secrets tried for this client; wait a minute", status=429
            )
        if not await self._checker.check(client, secret, now=now) or client is None:
            log.warning("client_refused", client_id=client_id[:64])
            raise invalid_client()
        return client

    async def _by_assertion(self, request: Request, assertion: str, *, now: datetime) -> Client:
        if request.assertion_type != domain.ASSERTION_TYPE:
            raise TokenRefused("invalid_request", f"client_assertion_type: {domain.ASSERTION_TYPE}")
        client = self._directory.known.clients.get(domain.claimed_client(assertion))
        if client is None:
            raise invalid_client()
        issuer = self._settings.token_issuer
        proof = domain.verify_assertion(
            assertion, client, audiences=(issuer, f"{issuer}/oauth/token"), now=now
        )
        async with self._database.sessions() as session, session.begin():
            is_fresh = await repository.use_assertion(
                session,
                client.client_id,
                proof.jti,
                now=now,
                expires_at=datetime.fromtimestamp(proof.expires_at, UTC) + timedelta(minutes=1),
            )
        if not is_fresh:
            raise invalid_client("The assertion was used before")
        return client

"""The gateway's own check of access tokens: always by the keys published at this moment."""

from typing import Any

from gateway.directory import Directory
from gateway.settings import Settings
from shared.auth import Token, Verifier


class OwnVerifier:
    """The kit's verifier, begun anew whenever the published keys change.

    A service keeps the keys it fetched and asks again when it meets an unknown one; the gateway
    has them at hand, and forgets a retired key at the moment its last token has expired.
    """

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._settings = settings
        self._directory = directory
        self._document: dict[str, Any] | None = None
        self._verifier = self._begin()

    async def verify(self, authorization: str | None) -> Token:
        """Return the token of an Authorization header.

        Raises:
            Unauthenticated: says what is wrong with it.
        """
        if self._document is not self._directory.jwks_document:
            self._verifier = self._begin()
        return await self._verifier.verify(authorization)

    async def ready(self) -> bool:
        """Tell whether the keys are known."""
        return bool(self._directory.jwks_document.get("keys"))

    def _begin(self) -> Verifier:
        self._document = self._directory.jwks_document
        return Verifier(
            issuer=self._settings.token_issuer,
            audience=self._settings.token_audience,
            fetch_keys=self._directory.jwks,
        )

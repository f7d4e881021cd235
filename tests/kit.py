"""What tests of every service share: settings and tokens signed by a key the apps trust."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import orjson
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.auth import ALGORITHM, TOKEN_TYPE
from shared.database import Database
from shared.feed import note_erased
from shared.settings import ServiceSettings
from shared.subjects import Eraser, Holder

ISSUER = "http://127.0.0.1:8000"
AUDIENCE = "bihuan"
KEY = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": ALGORITHM})
JWKS = orjson.dumps(KeySet([KEY]).as_dict(private=False)).decode()

S = TypeVar("S", bound=ServiceSettings)


def test_settings(kind: type[S], url: str, **overrides: Any) -> S:
    """Return settings of a service on this database that trust this module's key."""
    return kind.model_validate(
        {"database_url": url, "token_jwks": JWKS, "environment": "test", **overrides}
    )


test_settings.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]  # no test of its own


def access_token(*scopes: str, key: ECKey = KEY, **claims: Any) -> str:
    """Sign an access token; keyword arguments overwrite or add claims."""
    now = int(time.time())
    body = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "test-client", "client_id": "test-client",
        "iat": now, "exp": now + 86_400, "jti": f"jti-{now}", "scope": " ".join(scopes), **claims,
    }  # fmt: skip
    return jwt.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": key.kid}, body, key)


def bearer(*scopes: str, **claims: Any) -> dict[str, str]:
    """Return the Authorization header of such a token."""
    return {"Authorization": f"Bearer {access_token(*scopes, **claims)}"}


async def erase(holder: Holder, database: Database, *subjects: str, at: datetime) -> None:
    """Carry out an erasure in one service, both its passes."""
    async with database.transaction() as connection:
        await note_erased(connection, [(subject, "r1", at) for subject in subjects])
    eraser = Eraser(holder=holder, database=database, settle=timedelta(0), now=lambda: at)
    while await eraser.step():
        pass


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Start an app and lend a client that speaks to it in process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client

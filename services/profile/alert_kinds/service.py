"""Kinds of alerts: the shipped ones as the bank has changed them, held compiled by each process."""

from datetime import datetime
from functools import partial

import asyncpg
from anyio import to_thread

from services.profile.alert_kinds import domain, repository
from services.profile.alert_kinds.domain import Edition, NoSuchAlertKind, Rulebook
from services.profile.attributes import repository as attribute_words
from services.profile.attributes import service as attributes
from services.profile.vocabulary import AlertKind, alert_kinds
from shared.etag import check_match
from shared.logging import log

_compiled: dict[str, Rulebook] = {}
"""The rulebook of the scheme that was asked for last."""


async def list_all(connection: asyncpg.Connection) -> list[Edition]:
    """Return every kind by key."""
    found = {key: Edition(kind=kind) for key, kind in alert_kinds().items()}
    found |= await repository.list_written(connection)
    return [found[key] for key in sorted(found)]


async def get(connection: asyncpg.Connection, key: str) -> Edition:
    """Return a kind.

    Raises:
        NoSuchAlertKind: there is none of this key.
    """
    found = {each.kind.key: each for each in await list_all(connection)}
    if key not in found:
        raise NoSuchAlertKind(f"No alert is called {key}; GET /v1/alert-kinds lists what there is")
    return found[key]


async def put(
    connection: asyncpg.Connection, wanted: AlertKind, *, if_match: str, author: str, now: datetime
) -> Edition:
    """Write the next version of a kind.

    Raises:
        AlertKindUnreadable, AlertNeedsSeparateConsent: see `domain.check`.
        Stale: `if_match` names another version than the current one.
    """
    await repository.lock(connection, wanted.key)
    found = {each.kind.key: each for each in await list_all(connection)}
    current = found.get(wanted.key)
    check_match(if_match, current and current.version)
    domain.check(wanted, words=await attributes.words(connection), keys=found)
    if current is not None and current.kind == wanted:
        return current
    version = current.version + 1 if current else domain.SHIPPED_VERSION
    edition = Edition(kind=wanted, version=version, author=author, updated_at=now)
    await repository.put(connection, edition)
    await attribute_words.renew_scheme(connection)
    return edition


async def rulebook(connection: asyncpg.Connection, scheme: str | None) -> Rulebook:
    """Return the rules of a scheme; None: nothing was ever changed."""
    key = scheme or ""
    held = _compiled.get(key)
    if held is None:
        kinds = [each.kind for each in await list_all(connection)]
        words = await attributes.words(connection)
        held = await to_thread.run_sync(partial(domain.compiled, kinds, words.catalogue))
        for kind, reason in held.unreadable.items():
            log.warning("alert_kind_unreadable", alert=kind, reason=reason)
        _compiled.clear()
        _compiled[key] = held
    return held

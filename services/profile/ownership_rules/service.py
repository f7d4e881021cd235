"""The rules of who looks after whom: the shipped ones until the bank writes its own."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.profile.attributes import service as attributes
from services.profile.ownership_rules import domain, repository
from services.profile.ownership_rules.domain import Edition, Rulebook
from services.profile.vocabulary import OwnershipRule, ownership
from shared.etag import check_match
from shared.tokens import Token


async def get(connection: asyncpg.Connection) -> Edition:
    """Return the rules that count now."""
    return await repository.find(connection) or Edition(rules=ownership().rules)


async def put(
    connection: asyncpg.Connection,
    rules: Sequence[OwnershipRule],
    *,
    if_match: str,
    token: Token,
    now: datetime,
) -> Edition:
    """Write the next version of the rules.

    Raises:
        OwnershipRulesUnreadable, OwnershipRuleNeedsSeparateConsent: see `domain.check`.
        Stale: `if_match` names another version than the current one.
        WholeBankOnly: the token sees a part of the bank.
    """
    token.must_see_the_bank()
    await repository.lock(connection)
    current = await get(connection)
    check_match(if_match, current.version)
    await check(connection, rules)
    if current.rules == tuple(rules):
        return current
    edition = Edition(
        rules=tuple(rules), version=current.version + 1, author=token.author, updated_at=now
    )
    await repository.put(connection, edition)
    return edition


async def check(connection: asyncpg.Connection, rules: Sequence[OwnershipRule]) -> None:
    """Refuse rules that name what there is not, or has ceased to be.

    Raises:
        OwnershipRulesUnreadable, OwnershipRuleNeedsSeparateConsent: see `domain.check`.
    """
    words = await attributes.words(connection)
    domain.check(rules, words=words, kinds=ownership().kinds)


async def compiled(connection: asyncpg.Connection, rules: Sequence[OwnershipRule]) -> Rulebook:
    """Read rules.

    Raises:
        RuleError: one cannot be read any more.
    """
    return domain.compiled(rules, (await attributes.words(connection)).catalogue)

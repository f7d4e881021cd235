"""Sealing, opening and finding personal identifiers."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Self

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.profile.identifiers import repository
from services.profile.identifiers.domain import (
    Kind,
    Unmasking,
    check_purpose,
    masked,
    normalised,
    phone_end,
    spellings,
    spelt,
)
from services.profile.identifiers.repository import Place, Sealed
from services.profile.vocabulary import readings, unmasking_purposes
from shared.errors import Unavailable
from shared.ids import new_id
from shared.tokens import Token

NONCE_BYTES = 12
LEAST_SECRET = 32
INDEX = "index"
SEARCHED = (Kind.NAME.value, Kind.PHONE.value)
PINYIN, INITIALS, PHONE_END = "name.pinyin", "name.initials", "phone.end"
SEARCH_RULES = "1"  # another text has the worker make all search tokens anew


class KeyMissing(Unavailable):
    code = "identifier_keys_missing"
    title = "The key ring for personal identifiers does not fit"


class KeyRing:
    """AES-256-GCM under named keys; the name travels with what it sealed.

    The customer and the kind are authenticated with it, so that a sealed value moved to another
    customer does not open.

    Args:
        keys: secrets by id, oldest first; the last one seals.
        index: secret of the search index; the first key's where there is none of its own.
    """

    def __init__(self, keys: Mapping[str, str], index: str = "") -> None:
        self._ciphers = {
            key_id: AESGCM(_derived(secret, "seal")) for key_id, secret in keys.items()
        }
        self._newest = next(reversed(list(keys)), "")
        self._index_key = _derived(index or next(iter(keys.values()), ""), "index")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:secret` pairs separated by commas or lines; a bare secret is called `1`.

        The pair called `index` seals nothing: it makes the search index.

        Raises:
            ValueError: if a secret is shorter than 32 characters.
        """
        keys: dict[str, str] = {}
        for entry in text.replace("\n", ",").split(","):
            key_id, _, secret = entry.strip().rpartition(":")
            if 0 < len(secret) < LEAST_SECRET:
                raise ValueError(f"an identifier key has fewer than {LEAST_SECRET} characters")
            if secret:
                keys[key_id or "1"] = secret
        index = keys.pop(INDEX, "")
        return cls(keys, index)

    @property
    def mark(self) -> bytes:
        """What all begins with that the newest key sealed."""
        name = self._newest.encode()
        return bytes([len(name)]) + name

    def seal(self, customer_id: str, kind: str, value: str) -> Sealed:
        """Encrypt a value under the newest key and make its search digest.

        Raises:
            KeyMissing: if no key was given.
        """
        cipher = self._cipher(self._newest)
        nonce = secrets.token_bytes(NONCE_BYTES)
        body = cipher.encrypt(nonce, value.encode(), _bound(customer_id, kind))
        return Sealed(kind, self.mark + nonce + body, self.digest(kind, value))

    def seal_anew(self, customer_id: str, sealed: Sealed) -> Sealed:
        """Seal what an older key sealed under the newest one.

        Raises:
            KeyMissing: if the older key is not on the ring.
        """
        value = self.open(customer_id, sealed.kind, sealed.body)
        return self.seal(customer_id, sealed.kind, value)

    def open(self, customer_id: str, kind: str, sealed: bytes) -> str:
        """Decrypt a sealed value.

        Raises:
            KeyMissing: if its key is not on the ring, or the value belongs to somebody else.
        """
        name_ends = 1 + sealed[0]
        nonce_ends = name_ends + NONCE_BYTES
        cipher = self._cipher(sealed[1:name_ends].decode())
        try:
            return cipher.decrypt(
                sealed[name_ends:nonce_ends], sealed[nonce_ends:], _bound(customer_id, kind)
            ).decode()
        except InvalidTag as error:
            raise KeyMissing("A stored identifier does not open under its key") from error

    def digest(self, kind: str, value: str) -> bytes:
        """Return the blind index of a value: equal for equal values, useless without the key."""
        text = f"{kind}\0{normalised(kind, value)}".encode()
        return hmac.digest(self._index_key, text, hashlib.sha256)

    def token(self, kind: str, value: str) -> int:
        """Return the search token of a form of an identifier: 64 bits, useless without the key."""
        digest = hmac.digest(self._index_key, f"{kind}\0{value}".encode(), hashlib.sha256)
        return int.from_bytes(digest[:8], "big", signed=True)

    @cached_property
    def scheme(self) -> int:
        """Which key makes the search tokens, and by which rules."""
        return self.token("scheme", SEARCH_RULES)

    def _cipher(self, key_id: str) -> AESGCM:
        if key_id not in self._ciphers:
            raise KeyMissing("Set BIHUAN_PROFILE_IDENTIFIER_KEYS; the key of this value is missing")
        return self._ciphers[key_id]


@cache
def key_ring(text: str) -> KeyRing:
    """Return the ring of a setting, made once."""
    return KeyRing.parse(text)


async def store(
    connection: asyncpg.Connection,
    ring: KeyRing,
    customer_id: str,
    values: Mapping[str, str | None],
) -> bool:
    """Keep these identifiers of a customer, None removes one; tell whether any changed."""
    given = [ring.seal(customer_id, kind, value) for kind, value in values.items() if value]
    gone = [kind for kind, value in values.items() if not value]
    changed = await repository.put(connection, [(customer_id, sealed) for sealed in given])
    is_changed = await repository.remove(connection, customer_id, gone) or bool(changed)
    if is_changed:
        await make_searchable(connection, ring, [customer_id])
    return is_changed


async def store_many(
    connection: asyncpg.Connection,
    ring: KeyRing,
    values: Sequence[tuple[str, str, str]],
) -> set[str]:
    """Keep (customer, kind, value) of many customers; return the customers whose values changed."""
    changed = await repository.put(
        connection,
        [(customer, ring.seal(customer, kind, value)) for customer, kind, value in values],
    )
    await make_searchable(connection, ring, sorted(changed))
    return changed


async def make_searchable(
    connection: asyncpg.Connection, ring: KeyRing, customer_ids: Sequence[str]
) -> None:
    """Make the search tokens of customers anew from what they bear now."""
    tokens: dict[str, set[int]] = {customer_id: set() for customer_id in customer_ids}
    for customer_id, sealed in await repository.list_of_kinds(connection, customer_ids, SEARCHED):
        value = ring.open(customer_id, sealed.kind, sealed.body)
        tokens[customer_id] |= _tokens(ring, sealed.kind, value)
    await repository.put_search_keys(connection, tokens, ring.scheme)


async def make_old_searchable(
    connection: asyncpg.Connection, ring: KeyRing, *, after: str, limit: int
) -> str | None:
    """Make the tokens of the next customers who lack today's; return how far it came."""
    ids = await repository.list_unsearchable(
        connection, ring.scheme, SEARCHED, after=after, limit=limit
    )
    await make_searchable(connection, ring, ids)
    return ids[-1] if ids else None


def name_tokens(ring: KeyRing, text: str) -> list[int]:
    """Return the tokens one of which a customer bears whose name this is, or sounds like this."""
    return [ring.token(kind, spelt(text)) for kind in (Kind.NAME, PINYIN, INITIALS)]


def phone_end_token(ring: KeyRing, digits: str) -> int:
    """Return the token that every phone with this end bears."""
    return ring.token(PHONE_END, digits)


def _tokens(ring: KeyRing, kind: str, value: str) -> set[int]:
    if kind == Kind.PHONE:
        end = phone_end(value)
        return set() if end is None else {phone_end_token(ring, end)}
    forms = spellings(value, readings())
    return {
        ring.token(kind, spelt(value)),
        *(ring.token(PINYIN, pinyin) for pinyin, _ in forms),
        *(ring.token(INITIALS, initials) for _, initials in forms),
    }


async def opened(
    connection: asyncpg.Connection, ring: KeyRing, customer_ids: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return the identifiers of customers in plain text, for a computation that shows none."""
    found: dict[str, dict[str, str]] = {customer_id: {} for customer_id in customer_ids}
    for customer_id, sealed in await repository.list_of(connection, customer_ids):
        found[customer_id][sealed.kind] = ring.open(customer_id, sealed.kind, sealed.body)
    return found


async def shown(
    connection: asyncpg.Connection, ring: KeyRing, parties: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, str]]:
    """Return the masked identifiers of customers.

    Args:
        connection: any.
        ring: opens them.
        parties: the records of each customer; of a kind that several bear, the first one's.
    """
    records = [record for party in parties.values() for record in party]
    sealed = await repository.list_of(connection, records)
    return {customer_id: masked_of(ring, sealed, party) for customer_id, party in parties.items()}


def masked_of(
    ring: KeyRing, sealed: Sequence[tuple[str, Sealed]], records: Sequence[str]
) -> dict[str, str]:
    """Return the masked identifiers of a customer by kind; of several of a kind the first's."""
    return {
        each.kind: masked(each.kind, normalised(each.kind, ring.open(record, each.kind, each.body)))
        for record, each in _first_of_kind(sealed, records)
    }


async def reseal(
    connection: asyncpg.Connection, ring: KeyRing, *, after: Place, limit: int
) -> Place | None:
    """Seal the next identifiers that an older key sealed under the newest; return how far it came.

    Raises:
        KeyMissing: the key of one is not on the ring.
    """
    old = await repository.list_under_other_keys(connection, ring.mark, after=after, limit=limit)
    await repository.replace(
        connection, [(customer, ring.seal_anew(customer, sealed)) for customer, sealed in old]
    )
    return (old[-1][0], old[-1][1].kind) if old else None


async def count_under_other_keys(connection: asyncpg.Connection, ring: KeyRing, table: str) -> int:
    """Return how many sealed values of a table the newest key has not sealed."""
    return await repository.count_under_other_keys(connection, table, ring.mark)


async def unmask(
    connection: asyncpg.Connection,
    ring: KeyRing,
    records: Sequence[str],
    *,
    fields: Sequence[str],
    purpose: str,
    token: Token,
    now: datetime,
) -> dict[str, str]:
    """Return some identifiers of a customer's records in plain text, on the record (P16).

    Raises:
        UnknownPurpose: the catalogue does not name the purpose.
    """
    await note_reading(connection, records[0], fields, purpose=purpose, token=token, now=now)
    sealed = _first_of_kind(await repository.list_of(connection, records), records)
    return {
        each.kind: ring.open(record, each.kind, each.body)
        for record, each in sealed
        if each.kind in fields
    }


async def note_reading(
    connection: asyncpg.Connection,
    customer_id: str,
    fields: Sequence[str],
    *,
    purpose: str,
    token: Token,
    now: datetime,
) -> None:
    """Leave a record of who read which sealed values of a customer, and what for (P16).

    Raises:
        UnknownPurpose: the catalogue does not name the purpose.
    """
    await note_readings(connection, [customer_id], fields, purpose=purpose, token=token, now=now)


async def note_readings(
    connection: asyncpg.Connection,
    customer_ids: Sequence[str],
    fields: Sequence[str],
    *,
    purpose: str,
    token: Token,
    now: datetime,
) -> None:
    """Leave a record of who read the same of many customers, see `note_reading`."""
    check_purpose(purpose, unmasking_purposes())
    await repository.note_unmaskings(
        connection,
        [
            Unmasking(
                unmasking_id=new_id(),
                customer_id=customer_id,
                at=now,
                actor=token.author,
                client_id=token.client_id,
                purpose=purpose,
                fields=tuple(sorted(set(fields))),
            )
            for customer_id in customer_ids
        ],
    )


def _first_of_kind(
    sealed: Sequence[tuple[str, Sealed]], records: Sequence[str]
) -> list[tuple[str, Sealed]]:
    """Return of each kind the value of the first of these records that has one."""
    by_kind: dict[str, tuple[str, Sealed]] = {}
    for record in records:
        for bearer, each in sealed:
            if bearer == record:
                by_kind.setdefault(each.kind, (bearer, each))
    return list(by_kind.values())


def _derived(secret: str, use: str) -> bytes:
    return hmac.digest(secret.encode(), f"bihuan.profile.{use}".encode(), hashlib.sha256)


def _bound(customer_id: str, kind: str) -> bytes:
    return f"{customer_id}\0{kind}".encode()

"""Signing keys: announced before they sign, published until their tokens have expired."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.keys.domain import (
    KeyState,
    KeyUnreadable,
    NextKeyTooYoung,
    generate,
    public_document,
    published,
    rotate,
    seal,
    unseal,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NOTICE = timedelta(seconds=15)


def test_a_rotation_lets_the_announced_key_sign_and_announces_another() -> None:
    ring = [generate(KeyState.CURRENT, NOW), generate(KeyState.NEXT, NOW)]

    rotation = rotate(ring, now=NOW + NOTICE, notice=NOTICE)

    assert (rotation.retire, rotation.promote) == (ring[0], ring[1])
    assert rotation.announce.state is KeyState.NEXT
    assert rotation.announce.kid not in {ring[0].kid, ring[1].kid}


def test_a3_a_key_that_services_may_not_know_yet_never_signs() -> None:
    ring = [generate(KeyState.CURRENT, NOW), generate(KeyState.NEXT, NOW)]

    with pytest.raises(NextKeyTooYoung):
        rotate(ring, now=NOW + NOTICE - timedelta(microseconds=1), notice=NOTICE)


def test_the_published_document_holds_no_private_half() -> None:
    (public,) = public_document([generate(KeyState.CURRENT, NOW)])["keys"]

    assert "d" not in public
    assert {"kty", "crv", "x", "y", "kid", "use", "alg"} == public.keys()


def test_a_retired_key_is_published_until_its_last_token_has_expired() -> None:
    lifetime = timedelta(minutes=5)
    retired = replace(generate(KeyState.RETIRED, NOW), retired_at=NOW)
    ring = [generate(KeyState.CURRENT, NOW), retired]
    last = NOW + lifetime - timedelta(microseconds=1)

    assert published(ring, now=last, grace=lifetime) == ring
    assert published(ring, now=NOW + lifetime, grace=lifetime) == ring[:1]


def test_a_sealed_key_opens_under_its_own_key_and_name_only() -> None:
    made = generate(KeyState.CURRENT, NOW)
    sealed = seal(made.key, made.kid, b"k" * 32)

    assert unseal(sealed, made.kid, b"k" * 32).as_dict() == made.key.as_dict()
    for kid, key in ((made.kid, b"x" * 32), ("another", b"k" * 32)):
        with pytest.raises(KeyUnreadable, match="BIHUAN_GATEWAY_KEY_ENCRYPTION_KEY"):
            unseal(sealed, kid, key)

"""The key that seals signing keys."""

import base64
from collections.abc import Callable

import pytest

from gateway.keys.service import encryption_key
from gateway.settings import Settings


def settings(**values: str) -> Settings:
    return Settings.model_validate({"database_url": "postgresql://u:p@h/d", **values})


def test_production_refuses_to_start_without_a_key() -> None:
    with pytest.raises(ValueError, match="must be 32 bytes in base64"):
        encryption_key(settings())


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_any_base64_of_32_bytes_is_a_key(encode: Callable[[bytes], bytes]) -> None:
    raw = bytes(range(200, 232))

    assert encryption_key(settings(key_encryption_key=encode(raw).decode())) == raw
    assert encryption_key(settings(key_encryption_key=encode(raw).decode().rstrip("="))) == raw


@pytest.mark.parametrize("bad", ["short", "=" * 44, base64.b64encode(b"x" * 16).decode()])
def test_a_key_of_another_length_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="must be 32 bytes in base64"):
        encryption_key(settings(key_encryption_key=bad))


def test_elsewhere_it_follows_from_the_database_address() -> None:
    assert encryption_key(settings(environment="test")) == encryption_key(
        settings(environment="demonstration")
    )

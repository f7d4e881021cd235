"""The key ring that routes of several slices take; identifiers have no route of their own."""

from typing import Annotated

from fastapi import Depends

from services.profile.identifiers.service import KeyRing, key_ring
from shared.app import AppSettings


def _ring(settings: AppSettings) -> KeyRing:
    return key_ring(settings.identifier_keys.get_secret_value())


Ring = Annotated[KeyRing, Depends(_ring)]

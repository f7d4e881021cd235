"""Passwords of the roles of one cluster, in a file that only its owner may read."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from shared.postgres.errors import PostgresError

SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Passwords:
    """The file `passwords.json` of a cluster's folder."""

    folder: Path

    def of(self, role: str) -> str:
        try:
            return self._read()[role]
        except KeyError:
            raise PostgresError(f"{self._path} holds no password for the role {role}") from None

    def of_or_new(self, role: str) -> str:
        return self._read().get(role) or secrets.token_urlsafe(24)

    def keep(self, role: str, password: str) -> None:
        write_private(self._path, json.dumps({**self._read(), role: password}, indent=1))

    @property
    def _path(self) -> Path:
        return self.folder / "passwords.json"

    def _read(self) -> dict[str, str]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    new.replace(path)

"""What the suite keeps on disk: secrets, logs, the database and the note of what is running."""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.paths import CATALOGUE
from shared.postgres.passwords import write_private

SERVICES = ("profile", "segment", "strategy", "feedback")
OWNERS = ("gateway", *SERVICES)
"""Those with a database."""


class UnknownClient(Exception):
    """No secret of that OAuth client is in the folder."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Layout of `--data`."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        """One file per OAuth client, named as the client."""
        return self.root / "secrets"

    @property
    def keys(self) -> Path:
        """Database addresses and encryption keys."""
        return self.root / "keys"

    @property
    def alive(self) -> Path:
        """One file per worker, touched while it lives."""
        return self.root / "alive"

    @property
    def demo(self) -> Path:
        return self.root / "demo"

    @property
    def run_file(self) -> Path:
        return self.root / "run.json"

    def prepare(self) -> None:
        """Make the folders, and the secrets and keys that do not exist yet."""
        for folder in (self.root, self.logs, self.alive, self.demo):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.secrets, self.keys):
            folder.mkdir(mode=0o700, exist_ok=True)
        for client in _client_ids():
            _keep(self.secrets / client, _new_password)
        _keep(self.keys / "key_encryption_key", _new_key)
        _keep(self.keys / "identifier_keys", lambda: f"first:{secrets.token_urlsafe(48)}")

    def secret_of(self, client_id: str) -> str:
        """Secret of an OAuth client.

        Raises:
            UnknownClient: no such client, or no suite was ever started on this folder.
        """
        path = self.secrets / client_id
        if not path.is_file():
            known = ", ".join(sorted(file.name for file in self.secrets.glob("*"))) or "none"
            raise UnknownClient(f"{self.secrets} holds no secret of {client_id}; it holds: {known}")
        return path.read_text().strip()

    def database_url_file(self, owner: str) -> Path:
        return self.keys / f"{owner}_database_url"

    def write_run(self, run: dict[str, Any]) -> None:
        write_private(self.run_file, json.dumps(run, indent=1))

    def read_run(self) -> dict[str, Any] | None:
        """What the running suite wrote about itself; None when it was stopped in order."""
        return json.loads(self.run_file.read_text()) if self.run_file.exists() else None

    def read_loaded(self) -> dict[str, Any] | None:
        """What is known of the demonstration bank that was loaded; None when none was."""
        path = self.demo / "loaded.json"
        return json.loads(path.read_text()) if path.exists() else None

    def write_loaded(self, loaded: dict[str, Any]) -> None:
        write_private(self.demo / "loaded.json", json.dumps(loaded, indent=1))


def _client_ids() -> list[str]:
    clients = yaml.safe_load((CATALOGUE / "clients.yaml").read_text())
    return [client["client_id"] for client in clients]


def _keep(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        write_private(path, make())


def _new_password() -> str:
    return secrets.token_urlsafe(32)


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()

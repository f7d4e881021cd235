"""What the suite keeps on disk: secrets, logs, the database and the note of what is running."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bihuan.environment import is_set
from shared.paths import CATALOGUE
from shared.postgres.passwords import write_private

SERVICES = ("profile", "segment", "strategy", "feedback")
OWNERS = ("gateway", *SERVICES)
"""Those with a database."""

KEYS = {
    "key_encryption_key": "BIHUAN_GATEWAY_KEY_ENCRYPTION_KEY",
    "identifier_keys": "BIHUAN_PROFILE_IDENTIFIER_KEYS",
}
"""What data in the databases are sealed with: the file, and the variable that takes its place."""


class UnknownClient(Exception):
    """No secret of that OAuth client is in the folder."""


class FolderUnusable(Exception):
    """The data folder cannot be used as it is; the message says what to do."""


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

    @property
    def loaded_file(self) -> Path:
        return self.demo / "loaded.json"

    @property
    def restoring(self) -> Path:
        """Stands here from the beginning of a restore to its good end."""
        return self.root / "restoring"

    def prepare(self) -> None:
        """Make the folders, and the clients' secrets that do not exist yet.

        Raises:
            FolderUnusable: it is not ours to write to, or a restore into it did not finish.
        """
        if os.access(self.root, os.X_OK) and self.restoring.exists():
            raise FolderUnusable(
                f"a restore into {self.root} did not finish: repeat `bihuan restore`"
            )
        try:
            self.make_folders()
            for client in client_ids():
                _keep(self.secrets / client, _new_password)
        except OSError as error:
            raise FolderUnusable(_why_unusable(self.root, error)) from None

    def make_folders(self) -> None:
        for folder in (self.root, self.logs, self.alive, self.demo):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.secrets, self.keys):
            folder.mkdir(mode=0o700, exist_ok=True)

    def make_keys(self, *, is_new: bool) -> None:
        """Make the keys that are neither here nor given by the environment.

        Args:
            is_new: the databases hold nothing yet that a lost key would have sealed.

        Raises:
            FolderUnusable: a key is lost; a new one in its place would open nothing.
        """
        for name, variable in KEYS.items():
            path = self.keys / name
            if path.exists() or is_set(variable):
                continue
            if not is_new:
                raise FolderUnusable(
                    f"{path} is missing, and the databases hold what was sealed with it: "
                    f"put it back from a backup, or set {variable}"
                )
            write_private(path, _NEW_KEY[name]())

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
        return json.loads(self.loaded_file.read_text()) if self.loaded_file.exists() else None

    def write_loaded(self, loaded: dict[str, Any]) -> None:
        write_private(self.loaded_file, json.dumps(loaded, indent=1))


def client_ids() -> list[str]:
    """The OAuth clients that are shipped, whose secrets the folder keeps."""
    clients = yaml.safe_load((CATALOGUE / "clients.yaml").read_text())
    return [client["client_id"] for client in clients]


def _keep(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        write_private(path, make())


def _new_password() -> str:
    return secrets.token_urlsafe(32)


_NEW_KEY: dict[str, Callable[[], str]] = {
    "key_encryption_key": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "identifier_keys": lambda: f"first:{secrets.token_urlsafe(48)}",
}


def _why_unusable(root: Path, error: OSError) -> str:
    what = f"the data folder {root} cannot be used: {error.strerror} ({error.filename or root})"
    if isinstance(error, PermissionError) and root.exists():
        owner, me = root.stat().st_uid, os.geteuid()
        return f"{what}. It belongs to uid {owner}, this is uid {me}: {hand_over(root, me)}"
    return f"{what}: mend that, or choose another by --data"


def hand_over(root: Path, uid: int) -> str:
    """What to do about a folder of somebody else."""
    return f"run as its owner, or: chown -R {uid} {root}, or choose another by --data"

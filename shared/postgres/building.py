"""Make a data folder, and put programs and data where the account can reach them."""

import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shared.postgres import account as accounts
from shared.postgres import binaries
from shared.postgres.account import Account
from shared.postgres.binaries import Binaries
from shared.postgres.errors import StartFailed
from shared.postgres.passwords import SUPERUSER, Passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Everything needed to run a cluster."""

    account: Account
    programs: Binaries
    data: Path


def prepare(folder: Path, *, repository: Path, outside: Path, sync: bool) -> Installation:
    """Find account and programs for `folder` and make its data if it is new.

    Args:
        folder: gets `data`, a folder or a link into `outside`.
        repository: its owner is the first choice when we are root.
        outside: used when the account cannot reach `folder` or the programs, as under a home that
            only its owner may enter.
        sync: wait until the new data are on disk.
    """
    data = folder / "data"
    owner = data.stat().st_uid if data.exists() else None
    programs = binaries.find(_version(data))
    account = accounts.choose(repository=repository, data_owner=owner, programs=programs.folder)
    programs = _reachable(programs, account, outside)
    if owner is None:
        _make_data(folder, account, programs, outside, sync=sync)
    return Installation(account=account, programs=programs, data=data.resolve())


def _version(data: Path) -> int | None:
    version = data / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def _reachable(programs: Binaries, account: Account, outside: Path) -> Binaries:
    """The programs, or a copy of them where the account may execute it."""
    if account.uid is None or account.can(str(programs.initdb), "--version"):
        return programs
    installation = programs.folder.parent
    package = installation.parent
    copy = outside / f"postgresql-{programs.major}"
    if not copy.exists():
        new = outside / f"{copy.name}.new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(installation, new / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where wheels keep them
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        new.rename(copy)
    return Binaries(copy / package.name / installation.name / "bin", programs.major)


def _make_data(
    folder: Path, account: Account, programs: Binaries, outside: Path, *, sync: bool
) -> None:
    """Build the data beside their place and move them there when they are whole."""
    data = folder / "data"
    data.unlink(missing_ok=True)  # a link whose target is gone
    home = folder if account.uid is None or account.can("test", "-x", str(folder)) else outside
    home.mkdir(parents=True, exist_ok=True)
    new = home / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    account.give(new)
    _initdb(new, account, programs, Passwords(folder), sync=sync)
    new.rename(home / "data")
    if home != folder:
        data.symlink_to(home / "data")


def _initdb(
    data: Path, account: Account, programs: Binaries, passwords: Passwords, *, sync: bool
) -> None:
    password = secrets.token_urlsafe(24)
    with tempfile.NamedTemporaryFile("w", suffix=".password") as file:
        file.write(password)
        file.flush()
        account.give(Path(file.name))
        options = [
            *("-D", str(data), "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8"),
            *("-A", "scram-sha-256", f"--pwfile={file.name}", "--no-instructions"),
            *([] if sync else ["--no-sync"]),
        ]
        made = subprocess.run(  # noqa: S603  our own program and arguments
            account.command([str(programs.initdb), *options]),
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
    if made.returncode:
        raise StartFailed(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
    passwords.keep(SUPERUSER, password)

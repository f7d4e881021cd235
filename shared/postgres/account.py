"""Under which operating-system account PostgreSQL runs: it refuses root."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared import child
from shared.postgres.errors import NoAccount

_PREFERRED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to start a program so that PostgreSQL accepts who runs it."""

    owner: int
    """uid that owns the data folder on disk"""
    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()
    """a command that runs the rest, as `unshare` does"""

    def command(self, program: Sequence[str]) -> list[str]:
        return child.command(
            [*self.prefix, *program], on_parent_death=signal.SIGINT, uid=self.uid, gid=self.gid
        )

    def can(self, *program: str) -> bool:
        """Whether a short program succeeds under this account."""
        ran = subprocess.run(  # noqa: S603  fixed programs: test, initdb --version
            self.command(program), capture_output=True, timeout=20, check=False, cwd="/"
        )
        return ran.returncode == 0

    def give(self, path: Path) -> None:
        """Make the account the owner of what we created for it."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid if self.gid is not None else -1)


def choose(*, repository: Path, data_owner: int | None, programs: Path) -> Account:
    """Pick the account for a data folder.

    As a normal user: ourselves. As root, the first that works of: the owner of the data if there
    are any; else the owner of the repository, root behind a user namespace, a system account.

    Args:
        repository: folder of the project.
        data_owner: uid that owns the existing data, None for a new folder.
        programs: folder with `initdb`.

    Raises:
        NoAccount: none works.
    """
    me = os.geteuid()
    if me != 0:
        return _ourselves(me, data_owner)
    candidates = list(_candidates(repository.stat().st_uid, data_owner))
    for account in candidates:
        if account.can(str(programs / "initdb"), "--version"):
            return account
    if candidates and candidates[-1].uid is not None:
        return candidates[-1]  # it needs a copy of the programs, see `place`
    raise NoAccount(
        "PostgreSQL does not run as root, and neither the repository's owner, nor a user "
        "namespace, nor a system account can run it here."
    )


def _ourselves(me: int, data_owner: int | None) -> Account:
    if _name(me) is None:
        raise NoAccount(f"uid {me} has no line in the passwd file, and PostgreSQL needs one.")
    if data_owner not in (None, me):
        raise NoAccount(f"the data belong to uid {data_owner}, and this process is uid {me}.")
    return Account(owner=me)


def _candidates(repository_owner: int, data_owner: int | None) -> Iterator[Account]:
    wanted = [data_owner] if data_owner is not None else [repository_owner, 0]
    for uid in wanted:
        account = _behind_namespace() if uid == 0 else _as_user(uid)
        if account is not None:
            yield account
    system = _system_account()
    if data_owner is None and system is not None:
        yield Account(owner=system.pw_uid, uid=system.pw_uid, gid=system.pw_gid)


def _as_user(uid: int) -> Account | None:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Account(owner=uid, uid=uid, gid=entry.pw_gid)


def _behind_namespace() -> Account | None:
    """Root outside, a named user inside: files stay root's, closed homes stay reachable."""
    system, unshare = _system_account(), shutil.which("unshare")
    if sys.platform != "linux" or system is None or unshare is None:
        return None
    user, group = f"--map-user={system.pw_uid}", f"--map-group={system.pw_gid}"
    return Account(owner=0, prefix=(unshare, "--user", user, group))


def _system_account() -> pwd.struct_passwd | None:
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    preferred = [entry for name in _PREFERRED for entry in entries if entry.pw_name == name]
    return next(iter(preferred + entries), None)


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None

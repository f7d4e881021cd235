"""The data folder: whose it is, whether it is whole, and the secrets and keys in it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bihuan.data_folder import KEYS, DataFolder, client_ids, hand_over
from bihuan.doctor.findings import Finding, bad, good, note
from bihuan.environment import is_set, value_of
from bihuan.http import Gateway, Refused

PATIENCE_SECONDS = 10.0
_EFFECTIVE = os.access in os.supports_effective_ids


def is_ours(folder: DataFolder) -> bool:
    """Whether we may read and write there."""
    mode = os.R_OK | os.W_OK | os.X_OK
    return os.access(folder.root, mode, effective_ids=_EFFECTIVE)


def look_at_folder(folder: DataFolder) -> Iterator[Finding]:
    """Owner, a restore that did not finish, secrets and keys."""
    yield look_at_owner(folder)
    if not is_ours(folder):
        return
    if folder.restoring.exists():
        told = f"a restore of {folder.restoring.read_text()} into it did not finish"
        yield bad("data folder", told, "repeat `bihuan restore`")
    if folder.secrets.exists():
        yield look_at_secrets(folder)
        for name in KEYS:
            yield look_at_key(folder, name)


def look_at_owner(folder: DataFolder) -> Finding:
    if not folder.root.exists():
        return note("data folder", f"{folder.root} does not exist", "`bihuan up` makes it")
    owner, me = folder.root.stat().st_uid, os.geteuid()
    if not is_ours(folder):
        told = f"{folder.root} belongs to uid {owner}, and uid {me} may not write to it"
        return bad("data folder", told, hand_over(folder.root, me))
    return good("data folder", f"{folder.root}, uid {owner}")


def look_at_secrets(folder: DataFolder) -> Finding:
    """Whether each shipped client's secret is there, for its owner alone."""
    what, paths = "clients' secrets", [folder.secrets / name for name in client_ids()]
    if lost := [path.name for path in paths if not _text(path)]:
        told = f"missing or unreadable in {folder.secrets}: {', '.join(lost)}"
        return bad(
            what, told, "restart the suite: missing ones are made anew; give the others back"
        )
    return _privacy(what, [*paths, folder.secrets]) or good(what, f"all {len(paths)} are there")


def look_at_key(folder: DataFolder, name: str) -> Finding:
    """Whether a key that data are sealed with is there, and is one."""
    variable, file = KEYS[name], folder.keys / name
    what = f"key {name}"
    try:
        key = value_of(variable) if is_set(variable) else _text(file)
    except OSError as error:
        return bad(what, f"{error.filename} cannot be read", f"mend the file {variable}_FILE names")
    where = variable if is_set(variable) else str(file)
    if not key:
        advice = f"put it back from a backup, or set {variable}: a new one would open nothing"
        return bad(what, f"{where} is missing or unreadable", advice)
    return _privacy(what, [] if is_set(variable) else [file]) or good(what, f"in {where}")


def look_at_known_secrets(folder: DataFolder, gateway_url: str) -> Finding:
    """Whether the running gateway knows the secrets in the folder."""
    what = "clients' secrets, at the gateway"
    strangers: list[str] = []
    for client in client_ids():
        secret = _text(folder.secrets / client)
        if not secret:
            continue
        with Gateway(gateway_url, client, secret, patience_seconds=PATIENCE_SECONDS) as gateway:
            try:
                gateway.token()
            except Refused as refused:
                strangers.append(f"{client} ({refused.code or refused.status or 'no answer'})")
    if strangers:
        told = f"refused: {', '.join(strangers)}"
        return bad(what, told, "restart the suite: the gateway takes the files over at its start")
    return good(what, "known")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _privacy(what: str, paths: list[Path]) -> Finding | None:
    """Tell of those that others may read."""
    open_ones = [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if not open_ones:
        return None
    told = f"others may read {', '.join(map(str, open_ones))}"
    return bad(what, told, f"chmod go-rwx {' '.join(map(str, open_ones))}, and rotate what leaked")

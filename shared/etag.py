"""Entity tags of catalogue objects, compared with what a caller has read (statement A8)."""

from shared.errors import Stale


def etag_of(version: int | str) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def check_match(wanted: str, current: int | str | None) -> None:
    """Compare an `IfMatch` with the current version; None: the object does not exist.

    Raises:
        Stale: the versions differ, or an object to be created exists already.
    """
    if wanted == "" and current is None:
        return
    if wanted == "*" and current is not None:
        return
    tags = {tag.strip() for tag in wanted.split(",")}
    if current is None or etag_of(current) not in tags:
        now = "does not exist" if current is None else f"is at {etag_of(current)}"
        raise Stale(f"The object {now}; read it again and repeat your change on that version")


def is_current(held: str | None, version: int | str) -> bool:
    """Tell whether a reader's copy is the current version (answer 304)."""
    return held is not None and etag_of(version) in {tag.strip() for tag in held.split(",")}

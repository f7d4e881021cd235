"""What a request says before its body: read once, cleaned for the way on."""

import re
from dataclasses import dataclass, field

from multidict import CIMultiDict
from starlette.types import Scope

from shared import trace

_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
    b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
# Set by the door itself, or claims about the way here that nobody may make.
_REPLACED = frozenset({
    b"host", b"expect", b"forwarded", b"x-real-ip", b"authorization", b"bihuan-actor",
    b"traceparent", b"content-length",
})  # fmt: skip
_NOT_ANSWERED = _HOP_BY_HOP | {b"date", b"server"}
_WAIT = re.compile(rb"(?:^|&)wait=(\d{1,3})(?:\.\d*)?(?:&|$)")


@dataclass(slots=True)
class Incoming:
    """The head of one request."""

    method: str
    path: str
    query: bytes
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict[str])
    authorization: str | None = None
    actor: str | None = None
    traceparent: str = ""
    length: int | None = None
    has_body: bool = False

    @property
    def wait_seconds(self) -> int:
        """How long a feed's long poll may wait, by its `wait` parameter."""
        found = _WAIT.search(self.query)
        return int(found[1]) if found else 0


def read(scope: Scope) -> Incoming:
    """Read a request's head; only headers that may travel on are kept in `headers`."""
    raw: list[tuple[bytes, bytes]] = scope["headers"]
    incoming = Incoming(scope["method"], scope["path"], scope["query_string"])
    seen: dict[bytes, str] = {}
    dropped = _HOP_BY_HOP
    for name, value in raw:
        if name in _REPLACED:
            seen.setdefault(name, value.decode("utf-8", "replace"))
        elif name == b"connection":
            dropped = dropped | {part.strip() for part in value.lower().split(b",")}
        elif name == b"transfer-encoding":
            incoming.has_body = True
    for name, value in raw:
        if not (name in _REPLACED or name in dropped or name.startswith(b"x-forwarded-")):
            incoming.headers.add(name.decode("latin-1"), value.decode("utf-8", "replace"))
    incoming.authorization = seen.get(b"authorization")
    incoming.actor = seen.get(b"bihuan-actor")
    incoming.traceparent = trace.accept(seen.get(b"traceparent"))
    incoming.headers["traceparent"] = incoming.traceparent
    if (length := seen.get(b"content-length")) is not None:
        incoming.length = int(length)
        incoming.has_body = incoming.length > 0
    return incoming


def answerable(raw: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    """The headers of a service's answer that may reach the client."""
    kept = [(name.lower(), value) for name, value in raw]
    dropped = _NOT_ANSWERED
    for name, value in kept:
        if name == b"connection":
            dropped = dropped | {part.strip() for part in value.lower().split(b",")}
    return [(name, value) for name, value in kept if name not in dropped]

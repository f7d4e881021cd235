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
_NOT_PASSED_ON = _HOP_BY_HOP | _REPLACED
_NOT_ANSWERED = _HOP_BY_HOP | {b"date", b"server"}
_USUAL_CONNECTIONS = {None, "keep-alive", "close"}
_WAIT = re.compile(rb"(?:^|&)wait=(\d{1,3})(?:\.\d*)?(?:&|$)")


@dataclass(slots=True)
class Incoming:
    """The head of one request, and whether its answer has begun."""

    method: str
    path: str
    query: bytes
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict[str])
    authorization: str | None = None
    actor: str | None = None
    traceparent: str = ""
    length: int | None = None
    has_body: bool = False
    is_answered: bool = False

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
    kept: list[tuple[str, str]] = []
    for name, value in raw:
        if name in _NOT_PASSED_ON:
            seen.setdefault(name, value.decode("utf-8", "replace"))
        elif not name.startswith(b"x-forwarded-"):
            kept.append((name.decode("latin-1"), value.decode("utf-8", "replace")))
    if (connection := seen.get(b"connection")) not in _USUAL_CONNECTIONS:
        named = {part.strip() for part in (connection or "").lower().split(",")}
        kept = [(name, value) for name, value in kept if name not in named]
    incoming.traceparent = trace.accept(seen.get(b"traceparent"))
    incoming.headers = CIMultiDict([*kept, ("traceparent", incoming.traceparent)])
    incoming.authorization = seen.get(b"authorization")
    incoming.actor = seen.get(b"bihuan-actor")
    if (length := seen.get(b"content-length")) is not None:
        incoming.length = int(length)
    incoming.has_body = bool(incoming.length) or b"transfer-encoding" in seen
    return incoming


def answerable(raw: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    """The headers of a service's answer that may reach the client."""
    kept = [(name.lower(), value) for name, value in raw]
    dropped = _NOT_ANSWERED
    for name, value in kept:
        if name == b"connection":
            dropped = dropped | {part.strip() for part in value.lower().split(b",")}
    return [(name, value) for name, value in kept if name not in dropped]

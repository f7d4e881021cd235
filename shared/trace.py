"""W3C trace context: one id through gateway, services, feeds and logs."""

import re
import secrets
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_current: ContextVar[str] = ContextVar("traceparent", default="")


def start_trace() -> str:
    """Return a new traceparent."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def accept(header: str | None) -> str:
    """Continue a valid traceparent with a new span; restart an invalid one (statement A5)."""
    match = _TRACEPARENT.fullmatch(header or "")
    if match is None:
        return start_trace()
    return f"00-{match[1]}-{secrets.token_hex(8)}-{match[3]}"


def bind(traceparent: str) -> None:
    """Make this the traceparent of the current task."""
    _current.set(traceparent)


def traceparent() -> str:
    """Return the traceparent of the current task, starting one if there is none."""
    if not _current.get():
        _current.set(start_trace())
    return _current.get()


def trace_id() -> str:
    """Return the 32 hexadecimal digits that find this work in every log."""
    return traceparent()[3:35]

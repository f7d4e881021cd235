"""Which service answers a request: a trie over the path templates of the committed documents."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

import orjson

from gateway.door.refusals import InvalidId, MethodNotAllowed, UnknownPath
from shared.ids import new_id

OWN = "gateway"
METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_LITERAL = re.compile(r"[A-Za-z0-9_.:-]+")
FALLBACK = "x-bihuan-fallback"  # of an operation: what to answer when its service does not
_STREAM_NAMES = frozenset({"export", "snapshot"})


class Pace(StrEnum):
    """How long an operation may stay silent before the gateway gives it up."""

    ANSWER = "answer"
    FEED = "feed"
    STREAM = "stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path template, and the service that owns it."""

    service: str
    method: str
    template: str
    pace: Pace = Pace.ANSWER
    is_import: bool = False
    is_open: bool = False
    fallback: bytes | None = None

    def stand_in(self, path: str) -> bytes | None:
        """Return the answer that its service has left with us for when it does not answer.

        The path's ids, and a new one, stand in it where it names them.
        """
        if self.fallback is None:
            return None
        given = zip(self.template.split("/"), path.split("/"), strict=True)
        answer = self.fallback.replace(b"{new_id}", new_id().encode())
        for name, value in given:
            if _PARAMETER.fullmatch(name):
                answer = answer.replace(name.encode(), value.encode())
        return answer


class ContestedRoute(Exception):
    """Two services claim the same method and path template, or a template cannot be served."""


def operations_of(service: str, document: Mapping[str, Any]) -> Iterator[Operation]:
    """Operations under `/v1/` that a service's OpenAPI document declares, in its order.

    Paths outside `/v1/` (health, metrics) are a service's own business and are not routed.
    """
    for template, item in cast("dict[str, dict[str, Any]]", document.get("paths", {})).items():
        if not template.startswith("/v1/"):
            continue
        for method in sorted(METHODS & item.keys()):
            yield Operation(
                service=service,
                method=method.upper(),
                template=template,
                pace=_pace(template, item[method]),
                is_import=template.endswith(":import"),
                is_open=service == OWN and not item[method].get("security"),
                fallback=_fallback(item[method]),
            )


def _pace(template: str, described: Mapping[str, Any]) -> Pace:
    last = template.rsplit("/", 1)[-1]
    if last.endswith((":import", ":export")) or last in _STREAM_NAMES or _is_streamed(described):
        return Pace.STREAM
    if template.startswith("/v1/feeds/") and template.count("/") == 3:
        return Pace.FEED
    return Pace.ANSWER


def _fallback(described: Mapping[str, Any]) -> bytes | None:
    answer = described.get(FALLBACK)
    return None if answer is None else orjson.dumps(answer)


def _is_streamed(described: Mapping[str, Any]) -> bool:
    """True if a good answer has a media type that is neither JSON nor empty."""
    return any(
        "json" not in media or media.endswith("ndjson")
        for status, answer in described.get("responses", {}).items()
        if status.startswith("2")
        for media in answer.get("content", {})
    )


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)
    ids: tuple[int, ...] = ()


class RouteTable:
    """All operations of the suite; literal segments beat parameters."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self.operations: list[Operation] = []
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node, ids = self._root, []
        for index, segment in enumerate(operation.template.split("/")[1:]):
            if _PARAMETER.fullmatch(segment):
                ids.append(index)
                node.parameter = node = node.parameter or _Node()
            elif _LITERAL.fullmatch(segment):
                node = node.literals.setdefault(segment, _Node())
            else:
                raise ContestedRoute(
                    f"{operation.service}: segment {segment!r} of {operation.template} is neither "
                    "a literal nor a parameter"
                )
        if taken := node.operations.get(operation.method):
            raise ContestedRoute(
                f"{operation.method} {operation.template} of {operation.service} is also claimed "
                f"by {taken.service} as {taken.template}"
            )
        node.ids = tuple(ids)
        node.operations[operation.method] = operation
        self.operations.append(operation)

    def find(self, method: str, path: str) -> Operation:
        """The operation that owns a decoded path.

        Raises:
            UnknownPath: if no template fits.
            MethodNotAllowed: if one fits, under other methods.
            InvalidId: if a parameter is not an id of 1 to 64 letters, digits, `_` and `-`.
        """
        segments = path.split("/")
        del segments[0]
        node = _walk(self._root, segments, 0)
        if node is None:
            raise UnknownPath
        for index in node.ids:
            if not _ID.fullmatch(segments[index]):
                raise InvalidId
        operation = node.operations.get(method)
        if operation is None:
            raise MethodNotAllowed(node.operations)
        return operation


def _walk(node: _Node, segments: list[str], index: int) -> _Node | None:
    if index == len(segments):
        return node if node.operations else None
    literal = node.literals.get(segments[index])
    if literal is not None and (found := _walk(literal, segments, index + 1)) is not None:
        return found
    if node.parameter is None:
        return None
    return _walk(node.parameter, segments, index + 1)

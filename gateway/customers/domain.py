"""The 360° view: what each reader is shown of a customer, and what became of each part.

Readers, parts and fields are data: `catalogue/views.yaml`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson

from shared.errors import FieldError, Forbidden, Invalid
from shared.tokens import Token

ESSENTIAL = "profile"

Tree = Mapping[str, "Tree | None"]
"""Fields that are shown; None: all of a field."""


class UnknownReader(Invalid):
    code = "unknown_reader"
    title = "There is no such reader of the view"


class ViewNotForCustomers(Forbidden):
    code = "view_not_for_customers"
    title = "A customer is shown the customer's own view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A part that a reader is shown: which fields of it, and of a list which entries.

    Where its service is silent, what the one that `stands_in` was told of it last is shown.
    """

    part: str
    service: str
    stands_in: str | None
    fields: Tree | None
    only: Mapping[str, Any]

    def of(self, body: Any) -> Any:
        """Return what the reader is shown of a part's body."""
        return selected(_entries(body, self.only), self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody the view is made for; `limit` is how many entries of a list are shown."""

    key: str
    is_customer: bool
    limit: int
    shown: tuple[Shown, ...]

    def parts_by_service(self) -> dict[str, list[str]]:
        """Return what each service is asked for."""
        found: dict[str, list[str]] = {}
        for each in self.shown:
            for service in filter(None, (each.service, each.stands_in)):
                found.setdefault(service, []).append(each.part)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One service's answer: its parts, or why there are none."""

    service: str
    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    document: Mapping[str, Any] | None = None
    code: str = ""
    detail: str = ""

    @property
    def is_silent(self) -> bool:
        """Tell whether the service could not answer, rather than would not."""
        return self.document is None and self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def has(self, part: str) -> bool:
        """Tell whether a part is there, and something in it."""
        return self.document is not None and self.document["parts"].get(part) is not None

    def missing(self, part: str) -> dict[str, str] | None:
        """Return why a part is not there; None if it is."""
        if self.document is None:
            return {"part": part, "code": self.code, "detail": self.detail}
        if part in self.document["parts"]:
            return None
        detail = f"{self.service} does not give it"
        told = {each["part"]: each for each in self.document["missing"]}
        return told.get(part, {"part": part, "code": "unreadable", "detail": detail})


def readers_of(catalogue: Mapping[str, Any]) -> dict[str, Reader]:
    """Read `catalogue/views.yaml`: the readers by key."""
    parts = {part["key"]: part for part in catalogue["parts"]}
    return {
        entry["key"]: Reader(
            key=entry["key"],
            is_customer=entry["is_customer"],
            limit=entry["limit"],
            shown=tuple(
                Shown(
                    part=part,
                    service=parts[part]["service"],
                    stands_in=parts[part].get("stands_in"),
                    fields=_tree(spec.get("fields")),
                    only=spec.get("only", {}),
                )
                for part, spec in entry["parts"].items()
            ),
        )
        for entry in catalogue["readers"]
    }


def reader_for(asked: str | None, token: Token, readers: Mapping[str, Reader]) -> Reader:
    """Return whom a view is made for: without a word the first reader that the token may be.

    Raises:
        UnknownReader: names those there are.
        ViewNotForCustomers: the token is bound to a customer, the view is not for one.
    """
    if asked is not None and asked not in readers:
        raise UnknownReader(
            f"The readers are {', '.join(readers)}",
            errors=[FieldError("query:for", "unknown reader")],
        )
    is_bound = token.customer is not None
    possible = [each for each in readers.values() if each.is_customer or not is_bound]
    reader = readers[asked] if asked else possible[0]
    if reader not in possible:
        keys = ", ".join(each.key for each in possible)
        raise ViewNotForCustomers(f"This token is bound to a customer: send for={keys}")
    return reader


def must_be_staff(token: Token) -> None:
    """Refuse a customer what the bank thinks of the customer.

    Raises:
        ViewNotForCustomers: the token is bound to one.
    """
    if token.customer is not None:
        raise ViewNotForCustomers("This token is bound to a customer; the card is for staff")


def selected(value: Any, tree: Tree | None) -> Any:
    """Return a value with the fields of a tree alone; of a list, each entry."""
    if tree is None:
        return value
    if isinstance(value, list):
        return [selected(each, tree) for each in value]
    if isinstance(value, dict):
        return {name: selected(value[name], below) for name, below in tree.items() if name in value}
    return value


def share_of(service: str, status: int, body: bytes) -> Share:
    """Read what a service answered."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Share(
            service=service,
            status=status,
            code="unreadable",
            detail=f"The answer ({status}) is not JSON",
        )
    if status == HTTPStatus.OK:
        return Share(service=service, status=status, document=document)
    return Share(
        service=service,
        status=status,
        code=str(document.get("code", "failed")),
        detail=str(document.get("detail", f"The service answered {status}")),
    )


def assemble(
    customer_id: str, reader: Reader, shares: Iterable[Share], *, now: datetime
) -> dict[str, Any]:
    """Compose the view; a part that is missing is null and named in `missing`.

    It bears the id that profile's parts bear: of a record that was merged, the survivor's.
    """
    by_service = {share.service: share for share in shares}
    own = by_service[ESSENTIAL].document if ESSENTIAL in by_service else None
    parts: dict[str, Any] = {}
    freshness: dict[str, Any] = {}
    missing: list[dict[str, str]] = []
    for each in reader.shown:
        share = _answering(each, by_service)
        reason = share.missing(each.part)
        parts[each.part] = None
        if reason is not None:
            missing.append(reason)
        elif share.document is not None:
            parts[each.part] = each.of(share.document["parts"][each.part])
            fresh = _freshness(share.document, each.part, now)
            heard = None if share.service == each.service else share.service
            freshness[each.part] = {**fresh, "stands_in": heard}
    return {
        "customer_id": own["customer_id"] if own else customer_id,
        "reader": reader.key,
        "now": now,
        **parts,
        "freshness": freshness,
        "missing": missing,
    }


def _answering(shown: Shown, shares: Mapping[str, Share]) -> Share:
    """Return the share that a part is taken from: its service's own, unless that is silent."""
    own = shares[shown.service]
    other = shares.get(shown.stands_in or "")
    return other if own.is_silent and other is not None and other.has(shown.part) else own


def _entries(body: Any, only: Mapping[str, Any]) -> Any:
    """Leave out the entries of a page that are not of the wanted kind."""
    if not only:
        return body
    items = [each for each in body["items"] if all(each[n] == only[n] for n in only)]
    return {**body, "items": items}


def _freshness(document: Mapping[str, Any], part: str, now: datetime) -> dict[str, Any]:
    as_of = document["as_of"].get(part, document["now"])
    age = (now - datetime.fromisoformat(as_of)).total_seconds()
    return {"as_of": as_of, "age_seconds": max(0.0, round(age, 3))}


def _tree(fields: Sequence[Any] | None) -> Tree | None:
    if fields is None:
        return None
    tree: dict[str, Tree | None] = {}
    for field in fields:
        below = field if isinstance(field, dict) else {field: None}
        tree |= {name: _tree(inner) for name, inner in below.items()}
    return tree

"""The committed API documents: written from the code, checked for freshness and compatibility.

`python -m shared.openapi write` writes `docs/openapi/{service}.json`; `check` fails if one is
stale, if two services claim one operation, or if one breaks what `docs/openapi/released/`
promises (statement A12); `release` makes the current documents the promise.
"""

import importlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from shared.paths import OPENAPI

SERVICES = ("profile", "segment", "strategy", "feedback")
DEEPEST = 8  # a schema may contain itself
METHODS = ("get", "put", "post", "patch", "delete")

Document = Mapping[str, Any]


def document_of(service: str) -> dict[str, Any]:
    """Build a service's API document from its code."""
    main = importlib.import_module(f"services.{service}.main")
    settings = importlib.import_module(f"services.{service}.settings").Settings.for_documents()
    return main.create(settings).openapi()


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (method, path template, operation)."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def double_claims(documents: Mapping[str, Document]) -> list[str]:
    """Name the operations that two services claim."""
    claims = Counter(
        f"{method.upper()} {path}"
        for document in documents.values()
        for method, path, _ in operations(document)
    )
    return [f"{claim} is claimed by two services" for claim, n in claims.items() if n > 1]


def incompatibilities(old: Document, new: Document) -> list[str]:
    """Name what a client of the old document would miss in the new one.

    Found: operations, answers and fields of answers that went; parameters and fields of
    requests that became required; types that changed; values of a request that are no
    longer taken.
    """
    found: list[str] = []
    current = {(method, path): operation for method, path, operation in operations(new)}
    for method, path, before in operations(old):
        name = f"{method.upper()} {path}"
        after = current.get((method, path))
        if after is None:
            found.append(f"{name} is gone")
        else:
            found += [f"{name}: {text}" for text in _operation(old, new, before, after)]
    return found


def _operation(
    old: Document, new: Document, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[str]:
    had = {(p["in"], p["name"]): p for p in before.get("parameters", [])}
    has = {(p["in"], p["name"]): p for p in after.get("parameters", [])}
    for place, name in had.keys() - has.keys():
        yield f"parameter {place}:{name} is gone"
    for key, parameter in has.items():
        if parameter.get("required") and not had.get(key, {}).get("required"):
            yield f"parameter {key[0]}:{key[1]} became required"
    for status, answer in before.get("responses", {}).items():
        if status.startswith("2"):
            if status not in after.get("responses", {}):
                yield f"answer {status} is gone"
            else:
                schemas = _schema(old, answer), _schema(new, after["responses"][status])
                yield from _answer(old, new, *schemas, at=f"answer {status}")
    schemas = (
        _schema(old, before.get("requestBody", {})),
        _schema(new, after.get("requestBody", {})),
    )
    yield from _request(old, new, *schemas, at="body")


def _answer(
    old: Document, new: Document, had: Document, has: Document, *, at: str
) -> Iterator[str]:
    if at.count("/") > DEEPEST:
        return
    if _type(had) != _type(has):
        yield f"{at} was {_type(had)}, is {_type(has)}"
        return
    for name, schema in had.get("properties", {}).items():
        if name not in has.get("properties", {}):
            yield f"{at}/{name} is gone"
        else:
            pair = _resolve(old, schema), _resolve(new, has["properties"][name])
            yield from _answer(old, new, *pair, at=f"{at}/{name}")
    if "items" in had and "items" in has:
        pair = _resolve(old, had["items"]), _resolve(new, has["items"])
        yield from _answer(old, new, *pair, at=f"{at}/-")


def _request(
    old: Document, new: Document, had: Document, has: Document, *, at: str
) -> Iterator[str]:
    if at.count("/") > DEEPEST:
        return
    if had and _type(had) != _type(has):
        yield f"{at} was {_type(had)}, is {_type(has)}"
        return
    for name in set(has.get("required", [])) - set(had.get("required", [])):
        yield f"{at}/{name} became required"
    for value in set(had.get("enum", [])) - set(has.get("enum", had.get("enum", []))):
        yield f"{at} no longer takes {value!r}"
    for name, schema in had.get("properties", {}).items():
        if name not in has.get("properties", {}):
            yield f"{at}/{name} is gone"
        else:
            pair = _resolve(old, schema), _resolve(new, has["properties"][name])
            yield from _request(old, new, *pair, at=f"{at}/{name}")


def _schema(document: Document, holder: Document) -> Document:
    content = holder.get("content", {})
    return _resolve(document, content.get("application/json", {}).get("schema", {}))


def _resolve(document: Document, schema: Document) -> Document:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return document["components"]["schemas"].get(name, {})
    return schema


def _type(schema: Document) -> str:
    parts = schema.get("anyOf") or schema.get("oneOf")
    if parts:
        return "|".join(sorted({_type(part) for part in parts}))
    return str(schema.get("type", schema.get("$ref", "any")))


def _text(document: Document) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _read(path: Path) -> Document:
    return orjson.loads(path.read_bytes()) if path.exists() else {}


def _check(documents: Mapping[str, Document]) -> list[str]:
    faults = double_claims(documents)
    for service, document in documents.items():
        path = OPENAPI / f"{service}.json"
        if not path.exists() or path.read_bytes() != _text(document):
            faults.append(f"docs/openapi/{service}.json is stale: run `make openapi`")
        promised = _read(OPENAPI / "released" / f"{service}.json")
        faults += [f"{service}: {text}" for text in incompatibilities(promised, document)]
    return faults


def main(command: str) -> int:
    """Write, check or release the documents; return the exit code."""
    documents = {service: document_of(service) for service in SERVICES}
    if command == "check":
        faults = _check(documents)
        sys.stdout.writelines(f"{fault}\n" for fault in faults)
        return 1 if faults else 0
    folder = OPENAPI / "released" if command == "release" else OPENAPI
    folder.mkdir(parents=True, exist_ok=True)
    for service, document in documents.items():
        (folder / f"{service}.json").write_bytes(_text(document))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

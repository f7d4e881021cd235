"""What tests of bad input share: the operations of the merged API document, and problems."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import yaml

from shared.paths import ROOT
from tests.e2e.running import RunningSuite

UNKNOWN = "nobody_knows"
ANSWERED_BY_OAUTH = "/oauth/"


@dataclass(frozen=True)
class Operation:
    """One operation of the merged API document."""

    method: str
    template: str
    definition: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def scopes(self) -> set[str]:
        return {
            s
            for entry in self.definition.get("security", [])
            for each in entry.values()
            for s in each
        }

    @property
    def is_protected(self) -> bool:
        return bool(self.definition.get("security"))

    @property
    def takes_json(self) -> bool:
        return "application/json" in self.definition.get("requestBody", {}).get("content", {})

    @property
    def has_id(self) -> bool:
        return "{" in self.template

    def path(self, value: str = UNKNOWN) -> str:
        parts = self.template.replace("{", "\0{").split("\0")
        return "".join(value + p.split("}", 1)[1] if p.startswith("{") else p for p in parts)

    def query(self) -> dict[str, str]:
        """Return the required query parameters with plausible values."""
        return {
            parameter["name"]: "app" if parameter["name"] == "channel" else "1"
            for parameter in self.definition.get("parameters", [])
            if parameter["in"] == "query" and parameter.get("required")
        }


def operations_of(suite: RunningSuite) -> list[Operation]:
    paths = suite.http.get("/openapi.json").json()["paths"]
    return [
        Operation(method.upper(), template, definition)
        for template, item in paths.items()
        for method, definition in item.items()
        if method in {"get", "put", "post", "patch", "delete"}
        and not template.startswith(ANSWERED_BY_OAUTH)
    ]


@cache
def shipped_clients() -> dict[str, set[str]]:
    clients = yaml.safe_load((ROOT / "catalogue" / "clients.yaml").read_text())
    return {c["client_id"]: set(c["scopes"]) for c in clients if not c["bind_customer"]}


def client_for(operation: Operation) -> str:
    """Name a shipped client that may call the operation."""
    able = [name for name, scopes in shipped_clients().items() if operation.scopes <= scopes]
    assert able, f"no shipped client may call {operation}"
    return able[0]


def send(suite: RunningSuite, operation: Operation, **options: Any) -> httpx.Response:
    """Call an operation as a client that may, with every condition header a write may ask for."""
    conditions = {"If-Match": '"1"', "Idempotency-Key": f"bad-{time.time_ns()}"}
    headers = conditions if operation.method != "GET" else {}
    return suite.call(
        operation.method,
        options.pop("path", operation.path()),
        client=options.pop("client", client_for(operation)),
        headers=headers | options.pop("headers", {}),
        params=options.pop("params", operation.query()),
        **options,
    )


def fault(answer: httpx.Response, *statuses: int, code: str | None = None) -> str | None:
    """Say how an answer differs from the problem document it should be; None if it does not."""
    said = f"{answer.status_code} {answer.text[:160]}"
    if answer.status_code not in statuses:
        return said
    if answer.headers["content-type"] != "application/problem+json":
        return f"{answer.headers['content-type']}: {said}"
    problem = answer.json()
    wrong = {"type", "title", "status", "detail", "instance", "code", "trace_id"} - set(problem)
    if wrong or problem["status"] != answer.status_code or len(problem["trace_id"]) != 32:
        return f"lacks {sorted(wrong)}: {said}"
    if "Traceback" in answer.text or (code is not None and problem["code"] != code):
        return said
    return None


def faults(
    suite: RunningSuite, operations: Iterator[Operation], check: Callable[[Operation], str | None]
) -> dict[str, str]:
    found = {str(operation): check(operation) for operation in operations}
    assert found, "no operation was asked"
    return {name: text for name, text in found.items() if text}


def pointers(answer: httpx.Response) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def new_customer(suite: RunningSuite, customer_id: str) -> str:
    body = {"party_type": "person", "birth_date": "1988-05-01"}
    answer = suite.call("PUT", f"/v1/customers/{customer_id}", json=body)
    assert answer.is_success, answer.text
    return customer_id

"""Bad input through the gateway: the right problem document every time.

What holds for every operation is asked of every operation of the merged API document; a failing
test lists the operations that fell out of line.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.operations import Operation, fault, faults, operations_of, pointers, send
from tests.e2e.running import RunningSuite

MEGABYTE = 2**20
OF_ANYBODY = {
    "/v1/customers/{customer_id}/outcomes",
    "/v1/customers/{customer_id}/parts/feedback",
}


def test_a1_without_a_token_every_operation_answers_401(suite: RunningSuite) -> None:
    def check(operation: Operation) -> str | None:
        answer = suite.http.request(
            operation.method, operation.path(), params=operation.query(), json={}
        )
        if "www-authenticate" not in answer.headers:
            return f"no WWW-Authenticate: {answer.status_code}"
        return fault(answer, 401, code="unauthenticated")

    protected = (o for o in operations_of(suite) if o.is_protected)
    assert faults(suite, protected, check) == {}


def test_a1_without_the_scope_every_operation_answers_403(suite: RunningSuite) -> None:
    def check(operation: Operation) -> str | None:
        other = "feeds:read" if "feeds:read" not in operation.scopes else "attributes:read"
        headers = {"Authorization": f"Bearer {suite.token('operator', scope=other)}"}
        answer = suite.http.request(
            operation.method,
            operation.path(),
            params=operation.query(),
            headers=headers,
            json={} if operation.takes_json else None,
        )
        return fault(answer, 403, code="insufficient_scope")

    scoped = (o for o in operations_of(suite) if o.scopes)
    assert faults(suite, scoped, check) == {}


def test_a10_an_unknown_query_parameter_is_400_everywhere(suite: RunningSuite) -> None:
    def check(operation: Operation) -> str | None:
        params = operation.query() | {"no_such_parameter": "1"}
        body = {"json": {}} if operation.takes_json else {}
        answer = send(suite, operation, params=params, **body)
        found = fault(answer, 400, code="unknown_parameter")
        if found is None and "query:no_such_parameter" not in pointers(answer):
            return f"the parameter is not named: {answer.text}"
        return found

    assert faults(suite, (o for o in operations_of(suite) if o.is_protected), check) == {}


def test_malformed_json_is_400_everywhere(suite: RunningSuite) -> None:
    def check(operation: Operation) -> str | None:
        headers = {"Content-Type": "application/json"}
        answer = send(suite, operation, content=b'{"a": [1, 2', headers=headers)
        return fault(answer, 400, code="malformed_json")

    assert faults(suite, (o for o in operations_of(suite) if o.takes_json), check) == {}


def test_a_body_of_another_shape_is_422_everywhere(suite: RunningSuite) -> None:
    def check(operation: Operation) -> str | None:
        answer = send(suite, operation, json="a text")
        found = fault(answer, 422)
        return found or (None if pointers(answer) else "no field is named")

    assert faults(suite, (o for o in operations_of(suite) if o.takes_json), check) == {}


def test_an_unknown_field_is_422_everywhere_and_named(suite: RunningSuite) -> None:
    def check(operation: Operation) -> str | None:
        answer = send(suite, operation, json={"no_such_field": 1})
        found = fault(answer, 422)
        if found is None and not any("no_such_field" in pointer for pointer in pointers(answer)):
            return f"the field is not named: {pointers(answer)}"
        return found

    assert faults(suite, (o for o in operations_of(suite) if o.takes_json), check) == {}


def test_an_unknown_id_is_404_on_every_read(suite: RunningSuite) -> None:
    def check(operation: Operation) -> str | None:
        return fault(send(suite, operation, path=operation.path("never_told_of")), 404)

    reads = (
        operation
        for operation in operations_of(suite)
        if operation.method == "GET"
        and operation.has_id
        # feedback keeps no list of customers: without outcomes the answer is an empty page
        and operation.template not in OF_ANYBODY
    )
    assert faults(suite, reads, check) == {}


@pytest.mark.parametrize("value", ["%00", "a%20b", "x" * 65, "%E5%AE%A2", "a.b"])
def test_an_id_that_is_none_never_gets_through(suite: RunningSuite, value: str) -> None:
    def check(operation: Operation) -> str | None:
        return fault(send(suite, operation, path=operation.path(value)), 400, 404, 422)

    reads = (o for o in operations_of(suite) if o.method == "GET" and o.has_id)
    assert faults(suite, reads, check) == {}


def test_a1_a_path_of_nobody_is_404_and_another_method_405(suite: RunningSuite) -> None:
    assert fault(suite.call("GET", "/v1/no-such-path"), 404, code="unknown_path") is None
    answer = suite.call("DELETE", "/v1/customers/some-customer")
    assert fault(answer, 405, code="method_not_allowed") is None
    assert "GET" in answer.headers["allow"]


ONE_OF_EACH_SERVICE = {
    "gateway": ("POST", "/v1/clients"),
    "profile": ("POST", "/v1/events"),
    "segment": ("POST", "/v1/segments"),
    "strategy": ("POST", "/v1/decisions"),
    "feedback": ("POST", "/v1/outcomes"),
}


@pytest.fixture(params=ONE_OF_EACH_SERVICE)
def written(request: pytest.FixtureRequest, suite: RunningSuite) -> Operation:
    method, template = ONE_OF_EACH_SERVICE[request.param]
    (found,) = [o for o in operations_of(suite) if (o.method, o.template) == (method, template)]
    return found


def ten_megabytes() -> Iterator[bytes]:
    yield b'{"text":"'
    for _ in range(10):
        yield b"x" * MEGABYTE
    yield b'"}'


def test_a_body_of_ten_megabytes_is_413(suite: RunningSuite, written: Operation) -> None:
    headers = {"Content-Type": "application/json"}
    declared = send(suite, written, content=b"".join(ten_megabytes()), headers=headers)
    streamed = send(suite, written, content=ten_megabytes(), headers=headers)

    assert fault(declared, 413, code="too_large") is None
    assert fault(streamed, 413, code="too_large") is None


def test_a_body_of_another_kind_is_415(suite: RunningSuite, written: Operation) -> None:
    answer = send(suite, written, content=b"<a/>", headers={"Content-Type": "application/xml"})

    assert fault(answer, 415) is None, answer.text


@pytest.mark.parametrize(
    "body", [b"\xff\xfe{}", b"[" * 20_000, b'{"a":1e999999}', b"nul", b'{"a":"\\ud800"}']
)
def test_bytes_that_are_no_json_are_never_a_fault_of_ours(
    suite: RunningSuite, written: Operation, body: bytes
) -> None:
    answer = send(suite, written, content=body, headers={"Content-Type": "application/json"})

    assert fault(answer, 400, 422) is None, answer.text


def test_a8_a_change_without_if_match_is_428_and_a_stale_one_412(suite: RunningSuite) -> None:
    path = "/v1/products/steady_30"
    known = suite.call("GET", path, expect=200)
    body = {name: known.json()[name] for name in ("zh", "en") if name in known.json()}

    missing = suite.call("PUT", path, json=body)
    stale = suite.call("PUT", path, json=body, headers={"If-Match": '"nothing"'})

    assert fault(missing, 428, code="precondition_required") is None, missing.text
    assert fault(stale, 412, 422) is None, stale.text
    assert suite.call("GET", path).headers["etag"] == known.headers["etag"]


def test_a4_a_contact_without_its_idempotency_key_is_refused(suite: RunningSuite) -> None:
    body = {"customer_id": "bad-bound-1", "channel": "sms", "purpose": "marketing"}

    answer = suite.call("POST", "/v1/contacts", json=body)

    assert fault(answer, 400, 428, code="idempotency_key_required") is None, answer.text

"""The copy of all that is held: whole, or not at all."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from gateway.door.refusals import ServiceUnavailable
from gateway.rights.domain import NoCopyDue
from gateway.rights.service import bundle
from shared.errors import Forbidden, NotFound, Unavailable

pytestmark = pytest.mark.anyio
REQUEST = {"request_id": "r1", "kind": "access", "state": "received", "records": ["c1", "c2"]}


def answering(request: Mapping[str, Any], **statuses: int) -> Any:
    async def fetch(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        assert headers == {"authorization": "mine"}
        if path == "/v1/rights-requests/r1":
            return 200, orjson.dumps(request)
        _, _, _, service, _, record = path.split("/")
        status = statuses.get(service, 200)
        body = {"service": service, "customer_id": record, "stores": []}
        return status, orjson.dumps(body if status == 200 else {"detail": "no", "code": "x"})

    return fetch


async def test_p11_every_service_is_asked_for_every_record() -> None:
    copy = await bundle(answering(REQUEST), "r1", {"authorization": "mine"})

    assert copy["records"] == ["c1", "c2"]
    assert {name: len(parts) for name, parts in copy["services"].items()} == dict.fromkeys(
        ("profile", "segment", "strategy", "feedback"), 2
    )


async def test_p11_a_service_that_holds_nothing_has_an_empty_part() -> None:
    async def fetch(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if "feedback" in path:
            return 404, b'{"code": "nothing_held"}'
        return await answering(REQUEST)(path, headers)

    copy = await bundle(fetch, "r1", {"authorization": "mine"})

    assert [each["stores"] for each in copy["services"]["feedback"]] == [[], []]


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (403, Forbidden), (503, Unavailable), (500, Unavailable)]
)
async def test_p11_a_copy_that_lacks_a_part_is_no_copy(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="What strategy holds cannot be had"):
        await bundle(answering(REQUEST, strategy=status), "r1", {"authorization": "mine"})


async def test_p11_a_service_that_is_down_leaves_no_half_copy() -> None:
    async def fetch(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if "segment" in path:
            raise ServiceUnavailable("segment")
        return await answering(REQUEST)(path, headers)

    with pytest.raises(ServiceUnavailable):
        await bundle(fetch, "r1", {"authorization": "mine"})


@pytest.mark.parametrize("wrong", [{"kind": "erasure"}, {"state": "refused"}])
async def test_a_copy_is_made_for_a_request_for_access_only(wrong: dict[str, str]) -> None:
    with pytest.raises(NoCopyDue):
        await bundle(answering({**REQUEST, **wrong}), "r1", {"authorization": "mine"})

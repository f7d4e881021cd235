"""What the services publish is what docs/events says; every test of this folder checks it too."""

from datetime import timedelta

import pytest

from services.profile.features import service as profile_features
from tests.contract.bank import decide, ready, redefine, report, reserve, write
from tests.contract.suite import EVERY_SCOPE, NOW, Suite, schemas
from tests.contract.test_declared_features import CREATE, DECLARATION
from tests.kit import bearer

pytestmark = pytest.mark.anyio
OFFICER = bearer(*EVERY_SCOPE, actor="s-officer")


async def test_a6_every_published_type_is_published_and_fits_its_schema(suite: Suite) -> None:
    await suite.settle()
    await ready(suite)
    await suite.call("PUT", "/features/big_spends_30d", DECLARATION, **CREATE)
    await write(suite, "c1", "/flags", is_frozen=True)
    await write(suite, "c1", "/flags", is_frozen=False)
    await suite.settle()
    for customer_id in ("c2", "c3"):
        await write(suite, customer_id, "", party_type="person")
    await suite.call("POST", "/customers/c2/merge", {"merged": "c3", "reason": "one person"})
    await suite.settle()
    await write(suite, "c4", "", party_type="person")
    sold = {"event_id": "e1", "customer_id": "c4", "type": "purchase", "data": {"category": "fund"}}
    await suite.call("POST", "/events", {**sold, "occurred_at": NOW.isoformat()})
    await suite.settle()
    asked = {"customer_id": "c4", "kind": "erasure", "request_id": "r1"}
    await suite.call("POST", "/rights-requests", asked)
    await suite.call("POST", "/rights-requests/r1/fulfil", **OFFICER)
    await suite.settle()
    [offer] = await decide(suite, limit=1)
    released = await reserve(suite)
    await suite.call("POST", f"/contacts/{released['contact_id']}/release")
    confirmed = await reserve(suite)
    await suite.call("POST", f"/contacts/{confirmed['contact_id']}/confirm")
    await reserve(suite)  # refused: the cap
    await report(suite, offer, "complaint")
    await suite.settle()
    [complaint] = (await suite.get("/customers/c1/complaints"))["items"]
    closing = f"/customers/c1/complaints/{complaint['complaint_id']}/close"
    await suite.call("POST", closing)
    await redefine(suite, "2026-07")
    held = {"label": {"zh": "在册", "en": "Known"}, "todo": {"zh": "无", "en": "Nothing"}}
    kind = {**held, "severity": "info", "rule": "open_accounts >= 0"}
    await suite.call("PUT", "/alert-kinds/known", kind, **{"If-None-Match": "*"})
    await suite.call("PUT", "/customers/c1/tags/vip_care", {})
    suite.move_to(NOW + timedelta(days=1))
    profile = suite.services["profile"]
    await profile_features.roll_if_due(profile.database, profile.app.state.clock)
    await suite.settle()

    assert {event["type"] for event in await suite.events()} == set(schemas())
    await suite.check()

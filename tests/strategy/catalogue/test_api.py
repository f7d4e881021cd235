"""The catalogue through the real app: versions, rules, and its effect on the next decision."""

import pytest

from services.strategy.attributes.service import attribute_handlers
from tests.strategy.bank import ALL_SCOPES, NOW, apply, arrive

pytestmark = pytest.mark.anyio
PROVENANCE = {"key", "version", "catalogue_version", "author", "approver", "updated_at"}


async def read(api, path):
    response = await api.get(path, headers=ALL_SCOPES)
    assert response.status_code == 200, response.text
    body = {k: v for k, v in response.json().items() if k not in PROVENANCE}
    return body, response.headers["ETag"]


async def put(api, path, body, **headers):
    return await api.put(path, json=body, headers={**ALL_SCOPES, **headers})


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products/steady_30",
        "/v1/strategies/honeymoon",
        "/v1/channels/app",
        "/v1/contact-policies/default",
    ],
)
async def test_a8_changes_go_by_version(api, path) -> None:
    body, etag = await read(api, path)
    changed = {**body, "zh": "改名"}

    blind = await put(api, path, changed)
    written = await put(api, path, changed, **{"If-Match": etag})
    stale = await put(api, path, body, **{"If-Match": etag})
    unchanged = await api.get(
        path, headers={**ALL_SCOPES, "If-None-Match": written.headers["ETag"]}
    )

    assert (blind.status_code, written.status_code, stale.status_code) == (428, 200, 412)
    assert written.json()["version"] == 2
    assert written.json()["zh"] == "改名"
    assert unchanged.status_code == 304


async def test_a_new_product_needs_to_be_new(api) -> None:
    body, _ = await read(api, "/v1/products/steady_30")

    created = await put(api, "/v1/products/steady_60", body, **{"If-None-Match": "*"})
    again = await put(api, "/v1/products/steady_60", body, **{"If-None-Match": "*"})

    assert (created.status_code, again.status_code) == (200, 412)


async def test_a_rule_that_cannot_be_read_is_refused_with_its_place(api) -> None:
    body, etag = await read(api, "/v1/products/steady_30")

    response = await put(
        api, "/v1/products/steady_30", {**body, "rule": "aeg >= 18"}, **{"If-Match": etag}
    )

    assert (response.status_code, response.json()["code"]) == (422, "rule_malformed")
    assert response.json()["errors"][0]["pointer"] == "/rule"
    assert "age" in response.json()["detail"]


async def test_what_a_database_cannot_keep_is_refused(api) -> None:
    body, etag = await read(api, "/v1/products/steady_30")

    response = await put(
        api, "/v1/products/steady_30", {**body, "zh": "a\x00b"}, **{"If-Match": etag}
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/zh"


async def test_b13_nobody_approves_their_own_version(api) -> None:
    body, etag = await read(api, "/v1/strategies/honeymoon")

    path = "/v1/strategies/honeymoon?approver=test-client"
    response = await put(api, path, body, **{"If-Match": etag})

    assert (response.status_code, response.json()["code"]) == (403, "self_approved")


async def test_notices_never_carry_an_offer(api) -> None:
    body, etag = await read(api, "/v1/strategies/honeymoon")

    response = await put(
        api, "/v1/strategies/honeymoon", {**body, "purpose": "service"}, **{"If-Match": etag}
    )

    assert (response.status_code, response.json()["code"]) == (422, "offer_in_service_notice")


async def test_a_paused_strategy_is_gone_from_the_next_decision(api, app, database) -> None:
    await arrive(database)
    body, etag = await read(api, "/v1/strategies/develop_value")
    await put(
        api, "/v1/strategies/develop_value", {**body, "state": "paused"}, **{"If-Match": etag}
    )
    await app.state.decider.refresh()

    asked = {"customer_id": "c1", "channel": "app"}
    decision = (await api.post("/v1/decisions", json=asked, headers=ALL_SCOPES)).json()

    assert decision["propositions"] == []


async def test_segments_attributes_are_followed_and_rules_hang_on_them(api, app, database) -> None:
    await arrive(database)
    handlers = attribute_handlers(lambda: NOW)
    usual = {
        "owner": "profile",
        "unit": "",
        "zh": "x",
        "en": "x",
        "values": [],
        "deleted": False,
    }
    before = app.state.decider.catalogue.version

    async def changes(**data):
        kind = "segment.attribute_changed.v1"
        await apply(database, handlers, kind, **{**usual, **data})
        await app.state.decider.refresh()
        return app.state.decider.catalogue

    kinds = ["person", "small_business", "company"]
    same = await changes(name="party_type", type="enum", values=kinds)
    assert same.version == before
    more = await changes(name="party_type", type="enum", values=[*kinds, "club"])
    [party_type] = [a for a in more.shelf.attributes if a.name == "party_type"]
    assert party_type.values == (*kinds, "club")
    gone = await changes(name="age", type="int", deleted=True)
    assert "product pension_saver" in gone.unreadable


async def test_lists_are_paged_by_key(api) -> None:
    first = (await api.get("/v1/products?limit=5", headers=ALL_SCOPES)).json()
    rest = await api.get(f"/v1/products?limit=200&after={first['next']}", headers=ALL_SCOPES)

    keys = [item["key"] for item in [*first["items"], *rest.json()["items"]]]
    assert keys == sorted(set(keys))
    assert rest.json()["next"] is None


async def test_actions_are_strategy_times_product(api) -> None:
    page = (await api.get("/v1/actions?limit=200", headers=ALL_SCOPES)).json()

    ids = [item["id"] for item in page["items"]]
    assert "privilege_value-none" in ids
    assert "winback_now-steady_30" in ids
    assert "return_main_account-steady_30" not in ids
    assert not any(i.startswith("develop_value-") and i.endswith("money_fund") for i in ids)

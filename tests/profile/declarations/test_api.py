"""Declaring features of the bank's own: live at once, filled from the past, gone when deleted."""

from typing import Any

import httpx
import pytest

from services.profile.features import service as features
from services.profile.subjects import holder
from tests.kit import bearer, erase
from tests.profile.conftest import NOW, SCOPES, Profile, ago
from tests.profile.declarations.bank import (
    ANALYST,
    SPEND,
    declare,
    declared,
    open_segment,
    spend,
    tell,
)
from tests.profile.exports.test_api import exported
from tests.profile.merges.test_api import merge, unmerge

pytestmark = pytest.mark.anyio


async def test_l3_a_feature_counts_what_was_there_before_and_what_comes_after(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    await tell(profile, spend("e1"), spend("e2", amount=99), spend("e3", days=31))
    open_segment(profile)

    answer = await declare(profile, "big_spends_30d", SPEND)
    await tell(profile, spend("e4", days=2))  # before the past is filled
    unfilled = await profile.features("c1")
    shown = await profile.ok("GET", "/features/big_spends_30d", headers=ANALYST)
    await profile.work()
    filled = await profile.features("c1")
    await tell(profile, spend("e5"), spend("e1"), spend("e6", days=0, amount=1_000))
    told = (await profile.feed("features_changed"))[-1]

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert shown["declared"]["state"] == "backfilling"
    assert (shown["type"], shown["unit"], shown["owner"]) == ("int", "times", "bank")
    assert "big_spends_30d" not in unfilled
    assert filled["big_spends_30d"] == 2
    assert told["features"]["big_spends_30d"] == 4
    assert (await profile.features("c2"))["big_spends_30d"] == 0
    live = await profile.ok("GET", "/features/big_spends_30d", headers=ANALYST)
    held = ANALYST | {"If-None-Match": answer.headers["ETag"]}
    assert (await profile.call("GET", "/features/big_spends_30d", headers=held)).status_code == 304
    assert (live["declared"]["state"], live["declared"]["run_id"]) == ("live", None)
    view = await profile.ok("GET", "/customers/c1/parts/profile?names=features")
    assert view["parts"]["features"]["features"]["big_spends_30d"] == 4


async def test_nothing_is_known_of_a_prospect_and_nothing_of_what_never_happened(
    profile: Profile,
) -> None:
    await profile.ok("PUT", "/customers/c1", json={"party_type": "person"})
    await profile.customer("c2")
    amount = {"of": "amount", "aggregate": "mean"}
    await declared(profile, "spends_30d")
    await declared(profile, "spent_30d", aggregate="sum", of="amount")
    await declared(profile, "mean_spend_30d", **amount)
    await declared(profile, "days_since_spend", aggregate="days_since", window_days=None)

    names = ("spends_30d", "spent_30d", "mean_spend_30d", "days_since_spend")
    prospect, customer = await profile.features("c1"), await profile.features("c2")
    assert [prospect[name] for name in names] == [None] * 4
    assert [customer[name] for name in names] == [0, 0, None, None]
    await tell(profile, spend("e1", days=400, customer_id="c2", amount=200.55))
    customer = await profile.features("c2")
    assert [customer[name] for name in names] == [0, 0, None, 400]


async def test_a8_a_changed_definition_is_counted_anew_and_a_deleted_one_is_nobodys(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await tell(profile, spend("e1"), spend("e2", amount=99), spend("e3", days=40))
    first = await declared(profile, "spends_30d")
    renamed = await declare(profile, "spends_30d", {**SPEND, "en": "Spends"}, tag='"1"')
    stale = await declare(profile, "spends_30d", SPEND, tag='"1"')
    other = await declare(
        profile, "spends_30d", {**SPEND, "aggregate": "sum", "of": "amount"}, tag="*"
    )
    assert (await profile.features("c1"))["spends_30d"] == 1
    wider = await declare(profile, "spends_30d", {**SPEND, "window_days": 60}, tag='"2"')
    between = await profile.features("c1")
    await profile.work()

    assert (first["declared"]["version"], renamed.json()["declared"]["state"]) == (1, "live")
    assert (stale.status_code, other.status_code, other.json()["code"]) == (412, 409, "kind_fixed")
    assert wider.json()["declared"]["version"] == 3
    assert "spends_30d" not in between
    assert (await profile.features("c1"))["spends_30d"] == 2
    (row,) = await exported(profile, "/features/export", params={"columns": "spends_30d,age"})
    assert (list(row), row["spends_30d"]) == (["customer_id", "as_of", "spends_30d", "age"], 2)

    headers = ANALYST | {"If-Match": '"3"'}
    gone = await profile.call("DELETE", "/features/spends_30d", headers=headers)
    again = await profile.call("DELETE", "/features/spends_30d", headers=headers)
    assert (gone.status_code, again.status_code) == (204, 404)
    assert "spends_30d" not in await profile.features("c1")
    unknown = await profile.call("GET", "/features/export", params={"columns": "spends_30d"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_feature")
    await profile.work()
    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM declared_day") == 0
        assert await connection.fetchval("SELECT count(*) FROM declared_feature") == 0
        stored = await connection.fetchval("SELECT declared FROM feature")
    assert stored is None
    told = await profile.feed("feature_declared")
    assert [(each["en"], each["deleted"]) for each in told][1:] == [
        ("Spends", False), (SPEND["en"], False), (SPEND["en"], True),
    ]  # fmt: skip


async def test_a_killed_filling_goes_on_and_each_customer_has_it_once_reached(
    profile: Profile,
) -> None:
    profile.headers = bearer(*SCOPES, "customers:merge")
    for number in range(1, 5):
        await profile.customer(f"c{number}")
        await tell(profile, spend(f"e{number}", customer_id=f"c{number}"))
    open_segment(profile)
    answer = await declare(profile, "spends_30d", SPEND)
    run_id = answer.json()["declared"]["run_id"]

    await features.step(profile.database, profile.clock, customers=2)
    await tell(profile, spend("e9"), spend("e8", customer_id="c4"))
    seen = [(await profile.features(f"c{n}")).get("spends_30d", "no") for n in range(1, 5)]
    half = await profile.ok("GET", f"/features/rolls/{run_id}")
    await merge(profile, "c1", "c4")  # one that was reached with one that was not
    merged = await profile.features("c1")
    await unmerge(profile, "c1", "c4")
    await profile.work()

    assert (half["done"], half["total"]) == (2, 4)
    assert seen == [2, 1, "no", "no"]
    assert merged["spends_30d"] == 4
    found = [(await profile.features(f"c{n}"))["spends_30d"] for n in range(1, 5)]
    assert found == [2, 1, 1, 2]


async def test_l9_a_merge_adds_both_records_up_and_an_unmerge_restores_each(
    profile: Profile,
) -> None:
    profile.headers = bearer(*SCOPES, "customers:merge")
    await profile.customer("c1")
    await profile.customer("c2")
    await declared(profile, "spend_days_30d", aggregate="days")
    await declared(profile, "last_spend", aggregate="last", of="amount", window_days=None)
    await tell(
        profile,
        *(spend("e1"), spend("e2", days=3, amount=300)),
        *(spend("e3", customer_id="c2"), spend("e4", customer_id="c2", days=0.01, amount=700)),
    )

    await merge(profile, "c1", "c2")
    merged = await profile.features("c1")
    await unmerge(profile, "c1", "c2")
    parted = [await profile.features(each) for each in ("c1", "c2")]

    assert (merged["spend_days_30d"], merged["last_spend"]) == (3, 700)
    assert [(each["spend_days_30d"], each["last_spend"]) for each in parted] == [(2, 150), (2, 700)]


async def test_p13_an_erasure_leaves_no_day_of_a_declared_feature(profile: Profile) -> None:
    await profile.customer("c1")
    await declared(profile, "spends_30d")
    await tell(profile, spend("e1"))
    kept = holder(profile.app.state.settings, profile.clock)
    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM declared_day") == 1

    await erase(kept, profile.database, "c1", at=NOW)

    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM declared_day") == 0


async def test_p1_a_read_for_another_purpose_omits_a_declared_feature(profile: Profile) -> None:
    await profile.customer("c1")
    await declared(profile, "spends_30d")

    path = "/customers/c1/features?purpose="
    sold = (await profile.ok("GET", f"{path}marketing"))["features"]
    served = (await profile.ok("GET", f"{path}service"))["features"]
    listed = await profile.ok("GET", "/grounds", headers=ANALYST)

    assert "spends_30d" not in sold
    assert served["spends_30d"] == 0
    (flows,) = [each["attributes"] for each in listed["items"] if each["key"] == "flows"]
    assert flows[-1] == "spends_30d"


async def test_a10_the_catalogue_lists_shipped_and_declared_features_by_name(
    profile: Profile,
) -> None:
    await declared(profile, "spends_30d", sensitive=True)
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        params = {"limit": "100", **({"after": after} if after else {})}
        page = await profile.ok("GET", "/features", params=params, headers=ANALYST)
        found += page["items"]
        after = page["next"]
        if after is None:
            break
    named = {each["name"]: each for each in found}

    assert [each["name"] for each in found] == sorted(named)
    assert len(named) == 149
    assert named["logins_30d"]["window_days"] == 30
    assert (named["revenue_12m"]["window_days"], named["age"]["window_days"]) == (365, None)
    assert (named["age"]["owner"], named["age"]["declared"]) == ("shipped", None)
    own = named["spends_30d"]
    assert (own["sensitive"], own["declared"]["filter"]) == (True, SPEND["filter"])
    missing = await profile.call("GET", "/features/teleports", headers=ANALYST)
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_feature")


@pytest.mark.parametrize(
    ("name", "changes", "pointer"),
    [
        ("x_30d", {"source": "teleport"}, "/source"),
        ("x_30d", {"filter": [{"field": "data.colour", "operator": "=", "value": "x"}]},
         "/filter/0/field"),
        ("x_30d", {"filter": [{"field": "channel", "operator": "<", "value": "x"}]},
         "/filter/0/operator"),
        ("x_30d", {"filter": [{"field": "amount", "operator": ">", "value": "100"}]},
         "/filter/0/value"),
        ("x_30d", {"filter": [{"field": "amount", "operator": "in", "value": 3}]},
         "/filter/0/value"),
        ("x_30d", {"filter": [{"field": "a\" || true", "operator": "=", "value": 3}]},
         "/filter/0/field"),
        ("x_30d", {"aggregate": "sum", "of": "channel"}, "/of"),
        ("x_30d", {"aggregate": "mean"}, "/of"),
        ("x_30d", {"window_days": None}, "/window_days"),
        ("x_30d", {"window_days": 731}, "/window_days"),
        ("x_30d", {"ground": "curiosity"}, "/ground"),
        ("x_30d", {"definition": "x" * 100_000}, "/definition"),
        ("x_30d", {"en": "nul\x00"}, "/en"),
        ("select", {}, "path:name"),
        ("x'; DROP TABLE event; --", {}, "path:name"),
    ],
)  # fmt: skip
async def test_a_declaration_that_does_not_fit_is_a_problem_that_points(
    profile: Profile, name: str, changes: dict[str, Any], pointer: str
) -> None:
    open_segment(profile)

    answer = await declare(profile, name, {**SPEND, **changes})

    assert answer.status_code == 422, answer.text
    assert any(each["pointer"].startswith(pointer) for each in answer.json()["errors"])


async def test_a_name_that_means_something_else_is_refused(profile: Profile) -> None:
    open_segment(profile)
    taken = [await declare(profile, name, SPEND) for name in ("aum", "tier", "export")]
    own = await declare(profile, "city_walks", SPEND)  # a number that profile owns, written by none
    object.__setattr__(profile.app.state.settings, "most_declared_features", 1)
    many = await declare(profile, "x_30d", SPEND)
    open_segment(profile, lambda _: httpx.Response(503))
    unheard = await declare(profile, "y_30d", SPEND)
    reader = await profile.call(
        "PUT", "/features/z", json=SPEND, headers=bearer(*SCOPES) | {"If-None-Match": "*"}
    )

    assert {(each.status_code, each.json()["code"]) for each in taken} == {(409, "name_taken")}
    assert own.status_code == 200
    assert (many.status_code, many.json()["code"]) == (409, "too_many_features")
    assert (unheard.status_code, reader.status_code) == (503, 403)


async def test_what_a_bank_writes_is_compared_and_never_run(profile: Profile) -> None:
    await profile.customer("c1")
    odd = '" || true || "\'; DROP TABLE event; --'
    condition = {"field": "purpose", "operator": "=", "value": odd}
    await declared(profile, "odd_30d", filter=[condition])

    await tell(profile, spend("e1", purpose="car"))

    assert (await profile.features("c1"))["odd_30d"] == 0


async def test_a_replayed_event_counts_and_a_doubted_one_does_not(profile: Profile) -> None:
    await profile.customer("c1")
    await declared(profile, "spends_30d")
    await tell(profile, spend("e1", occurred_at=ago(-5)))
    assert (await profile.features("c1"))["spends_30d"] == 0
    (kept,) = (await profile.ok("GET", "/quarantine"))["items"]

    mended = {"event": {**kept["event"], "occurred_at": ago(1)}}
    await profile.ok("POST", f"/quarantine/{kept['quarantine_id']}/replay", json=mended)

    assert (await profile.features("c1"))["spends_30d"] == 1

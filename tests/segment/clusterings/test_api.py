"""Clusterings over the real application and database: declared, run, named, read."""

import asyncio
import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import pytest

from services.segment import worker
from services.segment.clusterings.domain import fitting
from services.segment.clusterings.service.runs import Clusterer, Fit, work
from services.segment.customers import repository as customers
from services.segment.seeding import read_words
from services.segment.subjects import HOLDER
from shared.paths import CATALOGUE, ROOT
from tests.kit import bearer, erase
from tests.segment.bank import NOW, OPERATOR, Bank, days
from tests.segment.customers.test_merged import merge

pytestmark = pytest.mark.anyio

CHURN = ROOT.parent / "shared" / "data" / "churn_modelling" / "Churn_Modelling.csv.gz"
GROUPS = ((1_000.0, 0.9, 20), (900_000.0, 0.1, 60), (60_000.0, 0.5, 1))
BODY = {
    "zh": "试",
    "en": "Try",
    "measures": [
        {"name": "aum", "transform": "log1p", "clip_high": 0.999},
        {"name": "demand_share"},
        {"name": "logins_30d"},
        {"name": "has_fund"},
    ],
    "k_min": 2,
    "k_max": 4,
    "starts": 2,
}
RUNS = "/v1/clusterings/try/runs"


def clusterer(bank: Bank, fit: Fit = fitting.fit) -> Clusterer:
    return Clusterer(
        database=bank.database,
        clock=bank.clock,
        words=read_words(CATALOGUE),
        chunk_customers=100,
        fit_customers=100_000,
        judge_customers=500,
        fit=fit,
    )


async def put(bank: Bank, key: str = "try", **changes: object) -> Any:
    read = await bank.get(f"/v1/clusterings/{key}")
    tag = {"If-Match": read.headers["ETag"]} if read.is_success else {"If-None-Match": "*"}
    return await bank.http.put(
        f"/v1/clusterings/{key}", json={**BODY, **changes}, headers={**OPERATOR, **tag}
    )


async def fill(bank: Bank, number: int = 240, *, skip: Sequence[int] = ()) -> None:
    """Customers `c0000` on, of three groups in turn; one in twenty lacks a share."""
    rng = np.random.default_rng(11)
    rows: list[tuple[str, Any, Mapping[str, Any]]] = []
    for place, noise in enumerate(rng.normal(size=(number, 3))):
        aum, share, logins = GROUPS[place % 3]
        values: dict[str, Any] = {
            "party_type": "person",
            "aum": float(aum * np.exp(noise[0] / 4)),
            "logins_30d": float(logins + noise[2]),
            "has_fund": place % 3 == 1,
        }
        if place % 20:
            values["demand_share"] = float(share + noise[1] / 50)
        if place not in skip:
            rows.append((f"c{place:04}", NOW, values))
    async with bank.database.transaction() as connection:
        await customers.put_features(connection, rows)


async def ask(bank: Bank, key: str = "try") -> str:
    created = await bank.http.post(f"/v1/clusterings/{key}/runs", headers=OPERATOR)
    assert created.status_code == 202, created.text
    return created.headers["Location"]


async def run(bank: Bank, key: str = "try") -> dict[str, Any]:
    """Ask for a run and carry it out; the run as the API tells it."""
    address = await ask(bank, key)
    assert await work(clusterer(bank))
    return (await bank.get(address)).json()


async def memberships(bank: Bank) -> list[tuple[Any, ...]]:
    async with bank.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT customer_id, cluster, run_id FROM clustering_member ORDER BY 1, 3"
        )
    return [tuple(row) for row in rows]


async def test_a_run_tells_the_curve_the_number_chosen_and_what_sets_each_cluster_apart(
    bank: Bank,
) -> None:
    await put(bank)
    await fill(bank)
    told = await run(bank)
    result = told["result"]
    rich = max(result["clusters"], key=lambda each: by(each, "aum")["mean"])

    assert (told["state"], told["done"], told["tries"]) == ("completed", 240, 1)
    assert [each["k"] for each in result["curve"]] == [2, 3, 4]
    assert result["k"] == max(result["curve"], key=lambda each: each["score"])["k"] == 3
    assert (result["customers"], result["fitted"], result["stability"]) == (240, 240, None)
    assert sum(each["size"] for each in result["clusters"]) == 240
    assert by(rich, "has_fund")["index"] == pytest.approx(300)
    assert by(rich, "aum")["index"] > 200
    assert 0 < by(rich, "demand_share")["missing_share"] < 0.1
    assert rich["zh"] == rich["proposed_zh"] != ""
    assert "has" in rich["en"].lower() or "high" in rich["en"]


def by(cluster: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in cluster["differences"] if each["name"] == name)


async def test_names_a_person_gave_stay_with_their_clusters_run_after_run(bank: Bank) -> None:
    await put(bank)
    await fill(bank)
    first = (await run(bank))["result"]["clusters"]
    address = f"/v1/clusterings/try/clusters/{first[0]['name_key']}"
    read = await bank.get(address)
    wanted = {"zh": "活期小户", "en": "Small savers"}
    bare = await bank.http.put(address, json=wanted, headers=OPERATOR)
    stale = await bank.http.put(address, json=wanted, headers={**OPERATOR, "If-Match": '"9"'})
    tag = {"If-Match": read.headers["ETag"]}
    named = await bank.http.put(address, json=wanted, headers={**OPERATOR, **tag})
    held = await bank.get(address, headers={**OPERATOR, "If-None-Match": named.headers["ETag"]})
    async with bank.database.connection() as connection:
        await connection.execute(
            "UPDATE customer SET features_as_of = NULL WHERE customer_id < 'c0003'"
        )
    await fill(bank, 243, skip=(0, 1, 2))
    await put(bank, seed=99)
    told = await run(bank)
    result = told["result"]

    assert [bare.status_code, stale.status_code, named.status_code, held.status_code] == [
        *(428, 412, 200, 304)
    ]
    assert (named.json()["named_by"], told["version"]) == ("wang", 2)
    assert {each["name_key"] for each in result["clusters"]} == {e["name_key"] for e in first}
    kept = next(e for e in result["clusters"] if e["name_key"] == first[0]["name_key"])
    assert (kept["zh"], kept["en"]) == ("活期小户", "Small savers")
    assert kept["proposed_en"] != "Small savers"
    assert min(each["kept"] for each in result["clusters"]) > 0.9
    assert result["stability"] > 0.9
    runs = (await bank.get(RUNS, params={"limit": "1"})).json()
    assert runs["items"][0]["run_id"] == told["run_id"]
    older = (await bank.get(RUNS, params={"after": runs["next"]})).json()
    assert [each["run_id"] for each in older["items"]] == [result["previous_run"]]
    assert {row[2] for row in await memberships(bank)} == {told["run_id"]}


async def test_members_are_paged_scoped_and_told_of_each_customer(bank: Bank) -> None:
    await put(bank)
    await fill(bank)
    async with bank.database.transaction() as connection:
        await customers.put_owners(connection, [("c0000", "b1/x", "r1"), ("c0003", "b1", "r2")])
    clusters = (await run(bank))["result"]["clusters"]
    mine = (await bank.get("/v1/customers/c0000/clusters")).json()
    address = f"/v1/clusterings/try/clusters/{mine['clusters'][0]['name_key']}/members"
    found: list[str] = []
    page: dict[str, Any] = {"next": None}
    while page["next"] or not found:
        after = {"after": page["next"]} if page["next"] else {}
        page = (await bank.get(address, params={"limit": "60", **after})).json()
        found += [each["customer_id"] for each in page["items"]]

    async def seen(**claims: str) -> list[str]:
        told = await bank.get(address, headers=bearer("segments:read", **claims))
        return [each["customer_id"] for each in told.json()["items"]]

    size = next(e["size"] for e in clusters if e["name_key"] == mine["clusters"][0]["name_key"])
    assert found == sorted(set(found))
    assert len(found) == size == 80
    assert await seen(org="b1") == ["c0000", "c0003"]
    assert (
        await seen(org="b1/x") == await seen(rm="r1") == await seen(customer="c0000") == ["c0000"]
    )
    foreign = bearer("segments:read", rm="r2")
    assert (await bank.get("/v1/customers/c0000/clusters", headers=foreign)).status_code == 404
    assert (await bank.get("/v1/clusterings/try/clusters/c99/members")).status_code == 404


async def test_l9_p13_merged_and_erased_customers_are_in_no_cluster_of_their_own(
    bank: Bank,
) -> None:
    await put(bank)
    await fill(bank)
    await run(bank)
    await merge(bank, "c0001", "c0000", at=NOW + days(1))
    await erase(HOLDER, bank.database, "c0002", at=NOW + days(1))
    survivor = (await bank.get("/v1/customers/c0000/clusters")).json()
    members = [
        each["customer_id"]
        for name_key in ("c1", "c2", "c3")
        for each in (
            await bank.get(
                f"/v1/clusterings/try/clusters/{name_key}/members", params={"limit": "200"}
            )
        ).json()["items"]
    ]

    assert (await bank.get("/v1/customers/c0001/clusters")).json() == survivor
    assert len(members) == 238
    assert not {"c0001", "c0002"} & set(members)
    assert "c0002" not in {row[0] for row in await memberships(bank)}
    assert (await bank.get("/v1/customers/c0002/clusters")).status_code == 404


async def test_p13_who_is_erased_while_a_run_works_is_not_written(bank: Bank) -> None:
    await put(bank, k_max=2)
    await fill(bank)
    await ask(bank)
    loop = asyncio.get_running_loop()

    def slow(*args: Any, **named: Any) -> fitting.Fitted:
        erasing = erase(HOLDER, bank.database, "c0002", at=NOW)
        asyncio.run_coroutine_threadsafe(erasing, loop).result()
        return fitting.fit(*args, **named)

    assert await work(clusterer(bank, slow))
    written = {row[0] for row in await memberships(bank)}

    assert len(written) == 239
    assert "c0002" not in written


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


async def test_l4_a_run_killed_in_the_middle_shows_nothing_and_begins_again(bank: Bank) -> None:
    await put(bank)
    await fill(bank)
    before = await run(bank)
    kept = await memberships(bank)
    await put(bank, k_min=2, k_max=2)
    address = await ask(bank)

    def killed(*_: Any, **__: Any) -> fitting.Fitted:
        raise Killed

    with pytest.raises(Killed):
        await work(clusterer(bank, killed))
    halfway = (await bank.get(address)).json()
    shown = await memberships(bank)
    assert await work(clusterer(bank))
    whole = (await bank.get(address)).json()

    assert (halfway["state"], halfway["tries"], halfway["result"]) == ("fitting", 1, None)
    assert shown == kept
    assert (whole["state"], whole["tries"], whole["result"]["k"]) == ("completed", 2, 2)
    assert whole["result"]["previous_run"] == before["run_id"]


async def test_l4_the_process_can_be_killed_while_it_writes_and_gives_way(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(bank, k_max=2)
    await fill(bank)
    address = await ask(bank)
    for name, value in {
        "database_url": bank.database.url,
        "environment": "production",
        "clusterer_niceness": "7",
    }.items():
        monkeypatch.setenv(f"BIHUAN_SEGMENT_{name.upper()}", value)
    blocking = await bank.database.dedicated()
    await blocking.execute("BEGIN; LOCK TABLE clustering_member IN ACCESS EXCLUSIVE MODE")
    task = asyncio.create_task(worker.run_clusterer(bank.clock))
    async with asyncio.timeout(90):
        while (await bank.get(address)).json()["state"] != "writing":  # noqa: ASYNC110 nobody tells
            await asyncio.sleep(0.05)
    children = psutil.Process().children()
    [process] = [each for each in children if "services.segment.clusterer" in each.cmdline()]
    niceness = process.nice()
    process.kill()
    with pytest.raises(worker.ClustererFailed):
        await task
    await blocking.close()
    shown = await memberships(bank)
    assert await work(clusterer(bank))
    told = (await bank.get(address)).json()

    assert niceness == psutil.Process().nice() + 7
    assert shown == []
    assert (told["state"], told["tries"]) == ("completed", 2)
    assert len(await memberships(bank)) == 240


async def test_a_run_that_ends_too_often_is_given_up_with_the_reason(bank: Bank) -> None:
    await put(bank)
    await fill(bank, 30)
    address = await ask(bank)

    def broken(*_: Any, **__: Any) -> fitting.Fitted:
        raise RuntimeError("disk full")

    for _ in range(3):
        with pytest.raises(RuntimeError):
            await work(clusterer(bank, broken))
    assert await work(clusterer(bank, broken))
    told = (await bank.get(address)).json()

    assert (told["state"], told["failure"]) == ("failed", "ended_too_often")
    assert not await work(clusterer(bank))


async def test_what_makes_no_clusters_is_told_with_what_to_do(bank: Bank) -> None:
    reasons: list[tuple[str, str]] = []

    async def failing(**changes: Any) -> None:
        await put(bank, **changes)
        told = await run(bank)
        assert told["state"] == "failed"
        reasons.append((told["failure"], told["detail"]))

    await failing()
    await fill(bank, 6)
    await failing(where="age > 200")
    await failing(measures=[{"name": "age"}], missing="leave_out")
    await failing(measures=[{"name": "age"}])
    await failing(k_min=7, k_max=9)

    assert [failure for failure, _ in reasons] == [
        *("no_customers", "no_customers", "no_customers"),
        *("no_difference", "too_few_customers"),
    ]
    assert all(":" in detail for _, detail in reasons)


async def test_only_the_population_is_grouped_and_who_lacks_a_value_may_be_left_out(
    bank: Bank,
) -> None:
    await put(bank, where="aum > 10000", missing="leave_out", k_min=2, k_max=2)
    await fill(bank)
    result = (await run(bank))["result"]

    assert result["customers"] + result["left_out"] == 160
    assert result["left_out"] == 8
    nobody = (await bank.get("/v1/customers/c0000/clusters")).json()
    assert nobody == {"customer_id": "c0000", "clusters": []}


async def test_a8_a_clustering_needs_the_version_that_was_read(bank: Bank) -> None:
    missing = await bank.http.put("/v1/clusterings/try", json=BODY, headers=OPERATOR)
    made = await put(bank)
    again = await bank.http.put(
        "/v1/clusterings/try", json=BODY, headers={**OPERATOR, "If-None-Match": "*"}
    )
    changed = await put(bank, zh="再试")
    tag = {"If-None-Match": changed.headers["ETag"]}
    held = await bank.get("/v1/clusterings/try", headers={**OPERATOR, **tag})
    listed = (await bank.get("/v1/clusterings")).json()["items"]

    assert [missing.status_code, made.status_code, again.status_code] == [428, 200, 412]
    assert [changed.json()["version"], held.status_code] == [2, 304]
    assert [each["key"] for each in listed] == [
        *("channel_behaviour", "need_signals", "try", "wealth_behaviour")
    ]


async def test_p5_a_sensitive_measure_needs_the_flag(bank: Bank) -> None:
    measures = [{"name": "salary_month"}]
    refused = await put(bank, measures=measures)
    allowed = await put(bank, measures=measures, separate_consent=True)

    assert (refused.status_code, refused.json()["code"]) == (403, "separate_consent_required")
    assert allowed.status_code == 200


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"measures": [{"name": "party_type"}]}, "/measures/0/name"),
        ({"where": "auum > 1"}, "/where"),
        ({"k_min": 9}, "/k_min"),
        ({"measures": [{"name": "aum", "clip_low": 1.0}]}, "/measures/0/clip_low"),
        ({"measures": []}, "/measures"),
    ],
)
async def test_a_wrong_clustering_is_refused_with_its_place(
    bank: Bank, changes: dict[str, Any], pointer: str
) -> None:
    refused = await put(bank, **changes)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_runs_need_their_scope_and_one_that_waits_is_not_asked_for_twice(bank: Bank) -> None:
    await put(bank)
    reader = bearer("segments:read", "segments:write")
    forbidden = await bank.http.post(RUNS, headers=reader)
    unread = await bank.get("/v1/clusterings", headers=bearer("scoring:run"))
    unknown = await bank.http.post("/v1/clusterings/none/runs", headers=OPERATOR)

    assert [forbidden.status_code, unread.status_code, unknown.status_code] == [403, 403, 404]
    assert await ask(bank) == await ask(bank)


@pytest.mark.skipif(not CHURN.is_file(), reason="the data set is not in ../shared/data")
async def test_the_reference_of_churn_modelling_is_reproduced(bank: Bank) -> None:
    names = ("CreditScore", "Age", "Tenure", "Balance", "NumOfProducts", "EstimatedSalary")
    keys = ("credit_score", "age", "tenure_years", "balance", "products", "salary")
    for key in set(keys) - {"age"}:
        await bank.http.put(
            f"/v1/attributes/{key}",
            json={"type": "decimal", "zh": key, "en": key},
            headers={**OPERATOR, "If-None-Match": "*"},
        )
    with gzip.open(CHURN, "rt", encoding="utf-8") as file:
        rows = [
            (
                f"x{row['CustomerId']}",
                NOW,
                {key: float(row[name]) for key, name in zip(keys, names, strict=True)},
            )
            for row in csv.DictReader(file, delimiter=";")
        ]
    async with bank.database.transaction() as connection:
        await customers.put_features(connection, rows)
    measures = [{"name": key} for key in keys]
    await put(bank, "churn", measures=measures, k_min=2, k_max=5, starts=20)
    await ask(bank, "churn")
    assert await work(replace(clusterer(bank), chunk_customers=5_000))
    [told] = (await bank.get("/v1/clusterings/churn/runs")).json()["items"]
    result = (await bank.get(f"/v1/clusterings/churn/runs/{told['run_id']}")).json()["result"]

    inertia = {each["k"]: each["inertia"] for each in result["curve"]}
    reference = {2: 49_855.5, 3: 44_998.0, 4: 41_017.8, 5: 38_272.1}
    assert inertia == pytest.approx(reference, rel=0.005)
    assert result["customers"] == 10_000

"""Imports of relations, KYC values, needs and goals."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from tests.kit import bearer
from tests.profile.conftest import NOW, Profile, cny
from tests.profile.jobs.test_api import load, money, rejects, times

pytestmark = pytest.mark.anyio


async def parties(profile: Profile) -> None:
    for name in ("a", "b", "c", "d"):
        await profile.customer(name)
    await profile.customer("x", party_type="company")


async def exported(profile: Profile, kind: str, **options: Any) -> list[dict[str, Any]]:
    answer = await profile.call("GET", f"/{kind}:export", **options)
    return pa.ipc.open_stream(answer.content).read_all().to_pylist()


def relations(*rows: tuple[Any, ...]) -> dict[str, Any]:
    names = ("relation_id", "customer_id", "kind", "to_id", "role", "source")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


async def test_relations_are_imported_checked_and_exported(profile: Profile) -> None:
    await parties(profile)
    await profile.holding("b", "fund", balance=cny(50), balance_at=NOW.isoformat())
    columns = relations(
        ("r1", "a", "household", "b", "spouse", "core"),
        ("r2", "x", "legal_representative", "a", None, "registry"),
        ("r3", "a", "household", "nobody", "spouse", "core"),
        ("r4", "nobody", "household", "a", "spouse", "core"),
        ("r5", "a", "household", "c", None, "core"),
        ("r 6", "a", "guarantor", "c", None, "core"),
        ("r7", "a", "referral", "b", None, "Not a code"),
        ("r8", "x", "legal_representative", "b", None, "registry"),
    )

    job = await load(profile, "relations", columns)
    again = await load(profile, "relations", columns, "k2")

    assert (job["accepted"], job["rejected"]) == (2, 6)
    assert await rejects(profile, job["job_id"]) == [
        (2, "r3", "unknown_party"),
        (3, "r4", "unknown_customer"),
        (4, "r5", "wrong_role"),
        (5, "r 6", "bad_relation_id"),
        (6, "r7", "bad_source"),
        (7, "r8", "relation_taken"),
    ]
    assert (again["accepted"], again["unchanged"], again["run_id"]) == (0, 2, None)
    assert job["report"] == {
        "by_kind": {"household": {"rows": 1}, "legal_representative": {"rows": 1}}
    }
    found = await profile.features("a")
    assert (found["household_aum"], found["is_business_owner"]) == (50, True)
    assert await exported(profile, "relations") == [
        {
            "relation_id": "r1", "customer_id": "a", "kind": "household", "to_id": "b",
            "role": "spouse", "since": None, "until": None, "share": None, "source": "core",
            "confidence": 1.0,
        },
        {
            "relation_id": "r2", "customer_id": "x", "kind": "legal_representative",
            "to_id": "a", "role": None, "since": None, "until": None, "share": None,
            "source": "registry", "confidence": 1.0,
        },
    ]  # fmt: skip


async def test_an_import_closes_no_referral_chain_neither_with_itself_nor_with_what_is_there(
    profile: Profile,
) -> None:
    await parties(profile)
    first = relations(("r1", "a", "referral", "b", None, "mgm"))
    second = relations(
        ("r2", "b", "referral", "c", None, "mgm"),
        ("r3", "c", "referral", "a", None, "mgm"),
        ("r4", "d", "referral", "c", None, "mgm"),
        ("r5", "c", "referral", "d", None, "mgm"),
        ("r6", "d", "referral", "a", None, "mgm"),
    )

    await load(profile, "relations", first)
    job = await load(profile, "relations", second, "k2")

    assert await rejects(profile, job["job_id"]) == [
        (1, "r3", "relation_cycle"),
        (2, "r4", "relation_taken"),
        (4, "r6", "relation_cycle"),
    ]


async def test_a_relation_is_exported_to_whom_sees_both_parties(profile: Profile) -> None:
    await profile.customer("a", org_path="bank/east")
    await profile.customer("b", org_path="bank/west")
    columns = relations(("r1", "a", "household", "b", "spouse", "core"))
    await load(profile, "relations", columns)

    for org, number in (("bank/east", 0), ("bank/west", 0), ("bank", 1)):
        headers = bearer("customers:read", org=org)
        assert len(await exported(profile, "relations", headers=headers)) == number, org


async def test_kyc_values_are_sealed_and_the_latest_confirmation_stands(profile: Profile) -> None:
    await parties(profile)
    columns = {
        "customer_id": ["a", "a", "x", "a", "b"],
        "item": ["address", "home", "address", "occupation", "address"],
        "value": ["here", "flat", "there", "farmer", None],
        "source": ["core"] * 5,
        "confirmed_at": times(*[NOW - timedelta(days=9)] * 5),
    }
    older = {
        "customer_id": ["a"],
        "item": ["address"],
        "value": ["long ago"],
        "source": ["core"],
        "confirmed_at": times(NOW - timedelta(days=10)),
    }

    job = await load(profile, "kyc", columns)
    late = await load(profile, "kyc", older, "k2")

    assert await rejects(profile, job["job_id"]) == [
        (2, "x", "no_such_kyc_item"),
        (3, "a", "kyc_fact_elsewhere"),
        (4, "b", "kyc_value_missing"),
    ]
    assert (late["accepted"], late["unchanged"]) == (0, 1)
    assert (await profile.features("a"))["kyc_completeness"] == 0.1
    may = bearer("identifiers:unmask")
    body = {"purpose": "advice"}
    plain = await profile.ok("POST", "/customers/a/kyc/unmask", json=body, headers=may)
    assert plain["values"] == {"address": "here", "home": "flat"}
    found = await exported(profile, "kyc")
    assert [(each["customer_id"], each["item"]) for each in found] == [
        ("a", "address"),
        ("a", "home"),
    ]
    assert found[0].keys() == {"customer_id", "item", "source", "confirmed_at"}


async def test_needs_and_goals_are_imported_and_exported(profile: Profile) -> None:
    await parties(profile)
    needs = {
        "need_id": ["n1", "n2", "n3"],
        "customer_id": ["a", "a", "nobody"],
        "kind": ["stated", "wished", "stated"],
        "code": ["retirement"] * 3,
        "source": ["need_check"] * 3,
        "stated_at": times(*[NOW - timedelta(days=9)] * 3),
    }
    goals = {
        "goal_id": ["g1", "g2", "g3"],
        "customer_id": ["a"] * 3,
        "kind": ["home", "castle", "home"],
        "target": money("1000000.50", None, "-1.00"),
        "horizon": pa.array([date(2030, 1, 1), None, None], pa.date32()),
        "source": ["rm"] * 3,
        "stated_at": times(*[NOW - timedelta(days=9)] * 3),
    }

    stated = await load(profile, "needs", needs)
    aimed = await load(profile, "goals", goals)
    again = await load(profile, "goals", goals, "k2")

    assert [reason for *_, reason in await rejects(profile, stated["job_id"])] == [
        "bad_kind",
        "unknown_customer",
    ]
    assert [reason for *_, reason in await rejects(profile, aimed["job_id"])] == [
        "unknown_goal",
        "bad_target",
    ]
    assert (again["accepted"], again["unchanged"]) == (0, 1)
    (need,) = await exported(profile, "needs")
    (goal,) = await exported(profile, "goals")
    assert (need["need_id"], need["confidence"]) == ("n1", 1.0)
    assert (str(goal["target"]), goal["priority"]) == ("1000000.50", 1)
    assert (await profile.features("a"))["kyc_completeness"] == 0.1

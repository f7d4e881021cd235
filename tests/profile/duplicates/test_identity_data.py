"""A thousand records of known persons through the API: what the search for duplicates finds."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from shared.paths import ROOT
from tests.kit import JWKS, bearer
from tests.profile.conftest import KEYS, NOW, Profile
from tests.profile.jobs.test_api import load

FOLDER = ROOT.parent / "shared" / "data" / "identity"
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="the identity data set is not in ../shared/data: not committed"
    ),
]
STEWARD = bearer("duplicates:read", "duplicates:run")
Page = dict[str, Any]


async def start_matcher(profile: Profile, *, keys: str = KEYS) -> Process:
    """Start the process as the worker does."""
    told = {
        "BIHUAN_PROFILE_DATABASE_URL": profile.database.url,
        "BIHUAN_PROFILE_IDENTIFIER_KEYS": keys,
        "BIHUAN_LOG_LEVEL": "DEBUG",
        "BIHUAN_TOKEN_JWKS": JWKS,
        "BIHUAN_ENVIRONMENT": "test",
    }
    offset = (NOW - datetime.now(UTC)).total_seconds()
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.profile.matcher", str(offset)),
        env={**os.environ, **told},
        stdout=PIPE,
        stderr=STDOUT,
    )


async def run_matcher(profile: Profile) -> Page:
    run = await profile.ok("POST", "/duplicates/runs", headers=STEWARD)
    process = await start_matcher(profile)
    await process.communicate()
    assert process.returncode == 0
    return await profile.ok("GET", f"/duplicates/runs/{run['run_id']}", headers=STEWARD)


async def every_proposal(profile: Profile) -> list[Page]:
    found: list[Page] = []
    after = ""
    while True:
        query = f"limit=200&min_probability=0.5{after}"
        page = await profile.ok("GET", f"/duplicates?{query}", headers=STEWARD)
        found += page["items"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


async def test_known_persons_are_found_again_with_few_errors(profile: Profile) -> None:
    records = pl.read_csv(FOLDER / "fake_1000.csv", infer_schema_length=0)
    ids = [f"r{number}" for number in records["unique_id"]]
    names = pl.concat_str("first_name", "surname", separator=" ", ignore_nulls=True)
    loaded = await load(
        profile,
        "customers",
        {
            "customer_id": ids,
            "party_type": ["person"] * len(ids),
            "name": records.select(names).to_series().to_list(),
            "birth_date": [date.fromisoformat(each) for each in records["dob"]],
            "city": records["city"].to_list(),
            "email": records["email"].to_list(),
        },
    )
    assert loaded["accepted"] == len(ids)

    run = await run_matcher(profile)
    proposals = await every_proposal(profile)

    person = dict(zip(ids, records["cluster"], strict=True))
    pairs = [(each["customer_id"], each["other_id"]) for each in proposals]
    right = sum(person[one] == person[other] for one, other in pairs)
    true = sum(n * (n - 1) // 2 for n in Counter(person.values()).values())
    assert (run["state"], run["done"], run["proposed"]) == ("completed", 1_000, len(pairs))
    assert true == 2_031
    assert len(set(pairs)) == len(pairs)
    assert right / len(pairs) >= 0.98
    assert right / true >= 0.70

    again = await run_matcher(profile)
    key = ("customer_id", "other_id", "probability", "evidence", "duplicate_id")
    assert again["proposed"] == run["proposed"]
    assert [[each[name] for name in key] for each in await every_proposal(profile)] == [
        [each[name] for name in key] for each in proposals
    ]

"""Declaring features of the bank's own: live at once, filled from the past, gone when deleted."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.profile.features import service as features
from services.profile.subjects import holder
from tests.kit import bearer, erase
from tests.profile.conftest import NOW, SCOPES, Profile, ago, cny
from tests.profile.declarations.bank import (
    ANALYST,
    SPEND,
    declare,
    declared,
    open_segment,
    segment,
    spend,
    tell,
)
from tests.profile.exports.test_api import exported
from tests.profile.jobs.test_api import load, times
from tests.profile.merges.test_api import merge

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
    assert (live["declared"]["state"], live["declared"]["run_id"]) == ("live", None)

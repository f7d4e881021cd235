"""Silence: propositions whose window passes without an answer."""

from datetime import timedelta

import pytest

from tests.feedback.kit import NOW, RECORDER, Service, decision, entry

pytestmark = pytest.mark.anyio


async def _close(service: Service, after: timedelta) -> int:
    async with service.database.transaction() as connection:
        return await RECORDER.close_silent(connection, now=NOW + after)


async def test_silence_is_recorded_once_when_the_window_has_passed(service: Service) -> None:
    await service.decide(decision(entry("p_1"), entry("p_2", window_days=30)))

    assert await _close(service, timedelta(days=7, seconds=-1)) == 0
    assert await _close(service, timedelta(days=7)) == 1
    assert await _close(service, timedelta(days=8)) == 0

    [event] = await service.events()
    assert event["data"]["outcome"] == "ignored"
    assert event["data"]["proposition_id"] == "p_1"
    assert event["data"]["behaviour"] == "negative"


async def test_an_answer_leaves_nothing_to_close_but_a_mere_sight_does(service: Service) -> None:
    await service.decide(decision(entry("p_1"), entry("p_2")))
    await service.report(
        {"proposition_id": "p_1", "outcome": "already_holds"},
        {"proposition_id": "p_2", "outcome": "seen"},
    )

    assert await _close(service, timedelta(days=7)) == 1


async def test_a_late_answer_restates_the_label(service: Service) -> None:
    await service.decide(decision())
    await _close(service, timedelta(days=7))
    await service.report({"proposition_id": "p_1", "outcome": "accepted"})

    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT label FROM proposition") == "accepted"
    assert [e["data"]["outcome"] for e in await service.events()] == ["ignored", "accepted"]

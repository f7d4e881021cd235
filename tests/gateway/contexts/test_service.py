"""The context card: who, in which mood, what about; strict where somebody is silent."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gateway.contexts.domain import Word, rules_of
from gateway.contexts.service import Card, UnknownChannel, Wanted, card
from gateway.customers.service import Fetch
from gateway.door.refusals import ServiceUnavailable
from shared.errors import Conflict, DomainError, NotFound, Unavailable
from tests.gateway.conftest import CONTEXT

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
RULES = rules_of(CONTEXT, {"frozen": Word("frozen", "已冻结", "Frozen")})
AT = "2026-03-01T02:00:00Z"

Answer = tuple[int, Any]


def touch(source: str, kind: str, proposition: str | None = None) -> dict[str, Any]:
    facts = {} if proposition is None else {"proposition_id": proposition}
    return {"source": source, "type": kind, "occurred_at": AT, "channel": "sms", "facts": facts}


def profile(**parts: Any) -> Answer:
    known = {
        "customer": {"party_type": "person", "name": "张*"},
        "flags": {"is_frozen": False},
        "complaints": {"items": []},
        "consents": {"pending": False},
        "features": {"features": {"assessment_valid": True}},
        "touches": [],
        "alerts": {"items": [], "next": None},
        **parts,
    }
    return 200, {"customer_id": "c-1", "now": AT, "parts": known, "as_of": {}, "missing": []}


def strategy(*everywhere: str, of_rm: str | None = None) -> Answer:
    def refusal(code: str) -> dict[str, Any]:
        return {"code": code, "stage": "eligibility", "values": {}}

    channels = {"rm": refusal(of_rm) if of_rm else None, "sms": None}
    parts = {"restraints": {"everywhere": [*map(refusal, everywhere)], "channels": channels}}
    return 200, {"customer_id": "c-1", "now": AT, "parts": parts, "as_of": {}, "missing": []}


def answering(**answers: Answer | None) -> tuple[Fetch, list[Any]]:
    """A suite that gives these answers; None: the service is down."""
    asked: list[Any] = []

    async def fetch(
        path: str, headers: Mapping[str, str], *, query: str = "", body: bytes | None = None
    ) -> tuple[int, bytes]:
        asked.append(orjson.loads(body) if body else path)
        service = "resolve" if path.endswith(":resolve") else path.rsplit("/", 1)[-1]
        if (known := answers.get(service)) is None:
            raise ServiceUnavailable(service)
        return known[0], orjson.dumps(known[1])

    return fetch, asked


async def ask(fetch: Fetch, **wanted: Any) -> Card:
    nothing: dict[str, Any] = dict.fromkeys(("customer_id", "phone", "reference", "channel"))
    who = wanted or {"customer_id": "c-1"}
    return await card(fetch, RULES, Wanted(**nothing | who), {}, deadline_seconds=1, now=NOW)


def talks(found: Card) -> dict[str, tuple[str, ...]]:
    return {talk.topic.word.key: talk.shut_by for talk in found.talks}


async def test_with_nothing_against_it_everything_that_fits_is_a_topic() -> None:
    found = await ask(answering(profile=profile(), strategy=strategy())[0])

    assert (found.reasons, found.missing) == ([], [])
    assert talks(found) == {"service": (), "survey": (), "fund": ()}
    assert found.mood is not None
    assert (found.mood.key, found.who) == ("neutral", {"party_type": "person", "name": "张*"})


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        (strategy("frozen"), ["frozen"]),
        (strategy(of_rm="consent_missing"), ["consent_missing"]),
        (strategy("frozen", of_rm="suppressed"), ["frozen", "suppressed"]),
    ],
)
async def test_every_reason_of_strategy_shuts_what_sells(told: Answer, codes: list[str]) -> None:
    found = await ask(answering(profile=profile(), strategy=told)[0])

    assert [reason.word.key for reason in found.reasons] == codes
    assert talks(found) == {"service": (), "survey": (), "fund": tuple(codes)}


async def test_an_open_complaint_binds_before_strategy_has_heard_of_it() -> None:
    opened = {"items": [{"closed_at": None}, {"closed_at": AT}]}
    found = await ask(answering(profile=profile(complaints=opened), strategy=strategy())[0])

    assert found.mood is not None
    assert found.mood.key == "upset"
    assert talks(found) == {
        "service": (),
        "survey": ("complaint_open",),
        "fund": ("complaint_open",),
    }


@pytest.mark.parametrize("silent", ["profile", "strategy"])
async def test_with_a_service_down_it_says_which_and_nothing_is_sold(silent: str) -> None:
    answers: dict[str, Answer | None] = {"profile": profile(), "strategy": strategy()}
    found = await ask(answering(**answers | {silent: None})[0])

    assert [reason.word.key for reason in found.reasons] == [f"{silent}_unknown"]
    assert {each["code"] for each in found.missing} == {"service_unavailable"}
    assert (found.mood is None) == (silent == "profile")
    assert all(shut for key, shut in talks(found).items() if key == "fund")
    assert talks(found)["service"] == ()


async def test_a_phone_is_looked_up_in_a_body_and_for_a_purpose() -> None:
    resolved = (200, {"customer_id": "c-1", "matched_by": ["phone"]})
    fetch, asked = answering(resolve=resolved, profile=profile(), strategy=strategy())

    found = await ask(fetch, phone="13800138000")

    assert found.customer_id == "c-1"
    assert asked[0] == {"purpose": "incoming_call", "identifiers": {"phone": "13800138000"}}
    assert not any("13800138000" in str(each) for each in asked[1:])


@pytest.mark.parametrize(
    ("answer", "error"), [((404, {}), NotFound), ((409, {"candidates": ["c-1", "c-2"]}), Conflict)]
)
async def test_a_phone_of_nobody_and_of_several_is_told(
    answer: tuple[int, dict[str, Any]], error: type[DomainError]
) -> None:
    status, extras = answer
    problem = {"code": "nobody_found", "detail": "…", **extras}
    fetch, _ = answering(resolve=(status, problem))

    with pytest.raises(error) as raised:
        await ask(fetch, phone="13800138000")
    assert raised.value.extras == extras


async def test_without_profile_a_phone_is_nobodys() -> None:
    fetch, _ = answering(strategy=strategy())

    with pytest.raises(Unavailable):
        await ask(fetch, reference=("core", "8"))


async def test_contacts_come_with_the_last_answer_to_them() -> None:
    touches = [
        touch("outcome", "refused", "p1"),
        touch("outcome", "seen", "p1"),
        touch("contact", "contact_confirmed", "p1"),
        touch("contact", "contact_reserved"),
        touch("outcome", "clicked", "p2"),
        touch("contact", "contact_confirmed", "p3"),
    ]
    found = await ask(answering(profile=profile(touches=touches), strategy=strategy())[0])

    assert [(each.kind, each.result) for each in found.last_contacts] == [
        ("contact_confirmed", "refused"),
        ("contact_reserved", None),
        ("answered", "clicked"),
    ]


async def test_an_unknown_channel_is_refused() -> None:
    fetch, _ = answering(profile=profile(), strategy=strategy())

    with pytest.raises(UnknownChannel, match="rm, sms"):
        await ask(fetch, customer_id="c-1", channel="owl")

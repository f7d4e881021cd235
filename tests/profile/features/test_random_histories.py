"""The SQL against the plain reference on random histories, told late, twice and in any order."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from random import Random

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.profile.events import service as events
from services.profile.events.domain import Event
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from shared.tokens import Token
from tests.profile.conftest import NOW, Profile
from tests.profile.features.reference import Held, History, Value, day_of, features

pytestmark = pytest.mark.anyio

TODAY = day_of(NOW)
TOKEN = Token(client_id="test", scopes=frozenset(), expires_at=0)
TYPES = (
    "login", "product_view", "application_abandoned", "content_read", "activity_joined",
    "branch_visit", "message_answered", "transfer_in", "transfer_out", "payment", "card_spend",
    "purchase", "redemption", "salary", "pension", "interest", "auto_debit", "fx_exchange",
    "payroll_payment", "settlement_in", "settlement_out", "adjustment", "salary", "fee",
    "rm_visit", "rm_talk", "call_in", "remote_call", "benefit_granted", "bid_won",
    "credit_rated", "credit_signed",
)  # fmt: skip
CATEGORIES = (
    "demand_deposit", "term_deposit", "fund", "wealth_management", "mortgage", "credit_card",
    "business_loan", "quick_pay", "bill", "insurance",
)  # fmt: skip
Way = Callable[[Profile, Sequence[Event]], Awaitable[None]]
_numbers = count(1)

fen = st.integers(0, 10**8)
edges = st.sampled_from((0, 1, 6, 7, 29, 30, 31, 59, 60, 89, 90, 91, 179, 180, 364, 365, 719, 720))
days = st.one_of(edges, st.integers(0, 900))


def ago(number: int) -> date:
    return TODAY - timedelta(days=number)


@st.composite
def holdings(draw: st.DrawFn) -> list[Held]:
    made: list[Held] = []
    for number in range(draw(st.integers(1, 5))):
        opened = draw(days)
        closed = draw(st.one_of(st.none(), st.integers(0, opened)))
        matures = draw(st.one_of(st.none(), st.integers(-60, 90)))
        made.append(
            Held(
                overdue_since=None if (late := draw(st.none() | edges)) is None else ago(late),
                holding_id=f"h{number}",
                category=draw(st.sampled_from(CATEGORIES)),
                opened_at=ago(opened),
                closed_at=None if closed is None else ago(closed),
                matures_at=None if matures is None else ago(matures),
                amount=draw(st.one_of(st.none(), fen)),
                credit_line=draw(st.one_of(st.none(), fen)),
                status=draw(st.sampled_from((None, "activated"))),
            )
        )
    return made


@st.composite
def happenings(draw: st.DrawFn, held: Sequence[Held]) -> list[Event]:
    made: list[Event] = []
    for number in range(draw(st.integers(0, 40))):
        holding = draw(st.one_of(st.none(), st.sampled_from([h.holding_id for h in held])))
        minutes = draw(st.sampled_from((0, 0, 61, 600, 961)))
        made.append(
            Event(
                event_id=f"e{number}",
                customer_id="",
                type=draw(st.sampled_from(TYPES)),
                occurred_at=NOW - timedelta(days=draw(days), minutes=minutes),
                holding_id=holding,
                amount=draw(st.one_of(st.none(), fen)),
                direction=draw(st.sampled_from((None, None, "in", "out"))),
                balance_after=draw(fen) if holding and draw(st.booleans()) else None,
                channel=draw(st.sampled_from((None, "app", "branch", "rm", "wechat"))),
                counterparty=draw(st.sampled_from((None, "x", "y", "own-account"))),
                counterparty_kind=draw(st.sampled_from((None, "own", "merchant"))),
                purpose=draw(st.sampled_from((None, "car", "travel", "cross_border"))),
                sequence=draw(st.sampled_from((None, 0, 1))),
                data=draw(
                    st.sampled_from((None, {"headcount": 7}, {"headcount": 30}, {"minutes": 25}))
                ),
            )
        )
    return made


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, list[tuple[Way, list[Event]]]]:
    """A history, and the batches in which it is told: shuffled, some of it twice, in two ways."""
    held = draw(holdings())
    known = draw(happenings(held))
    told = [*known, *draw(st.lists(st.sampled_from(known), max_size=8) if known else st.just([]))]
    Random(draw(st.integers(0, 1000))).shuffle(told)
    cut = draw(st.integers(0, len(told)))
    history = History(
        opened=ago(draw(days)), today=TODAY, holdings=held, events=known,
        accounts=frozenset({"own-account"}),
    )  # fmt: skip
    ways = st.sampled_from((tell_one_by_one, import_many))
    return history, [(draw(ways), told[:cut]), (draw(ways), told[cut:])]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=histories())
async def test_l3_features_equal_those_of_the_ordered_history(
    profile: Profile, told: tuple[History, list[tuple[Way, list[Event]]]]
) -> None:
    history, batches = told
    customer_id = f"r{next(_numbers)}"
    await state(profile, customer_id, history)
    for tell, batch in batches:
        await tell(profile, [replace(event, customer_id=customer_id) for event in batch])

    await profile.ok("GET", f"/customers/{customer_id}/contribution")  # looks at the year anew
    found = await profile.features(customer_id)

    _compare(found, features(history))


async def state(profile: Profile, customer_id: str, history: History) -> None:
    async with profile.database.transaction() as connection:
        await connection.execute(
            """INSERT INTO customer (customer_id, party_type, created_at, updated_at)
               VALUES ($1, 'person', $2, $2)""",
            customer_id,
            NOW,
        )
        await connection.execute(
            """INSERT INTO account (customer_id, account_id, role, currency, opened_at)
               VALUES ($1, 'own-account', 'owner', 'CNY', $2)""",
            customer_id,
            history.opened,
        )
        await connection.executemany(
            """INSERT INTO holding (customer_id, holding_id, category, currency, opened_at,
                   closed_at, matures_at, amount, credit_line, status, overdue_since)
               VALUES ($1, $2, $3, 'CNY', $4, $5, $6, $7, $8, $9, $10)""",
            [
                (customer_id, held.holding_id, held.category, held.opened_at, held.closed_at,
                 held.matures_at, held.amount, held.credit_line, held.status, held.overdue_since)
                for held in history.holdings
            ],
        )  # fmt: skip


async def tell_one_by_one(profile: Profile, batch: Sequence[Event]) -> None:
    telling = events.Telling(events=batch, pointers=(), alone=False, known_only=False)
    told, _ = await events.record(
        profile.database, telling, currency="CNY", token=TOKEN, clock=profile.clock
    )
    assert not told.doubted


async def import_many(profile: Profile, batch: Sequence[Event]) -> None:
    rows = [asdict(event) for event in batch]
    for row in rows:
        row |= {
            name: row[name] and Decimal(row[name]) / 100 for name in ("amount", "balance_after")
        }
        row["data"] = row["data"] and orjson.dumps(row["data"]).decode()
    table = pa.Table.from_pylist(rows, LAYOUTS[ImportKind.EVENTS].schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body, key = sink.getvalue().to_pybytes(), {"Idempotency-Key": f"k{next(_numbers)}"}
    answer = await profile.ok("POST", "/events:import", content=body, headers=key)
    await profile.work()
    job = await profile.ok("GET", f"/jobs/{answer['job_id']}")
    assert (job["state"], job["rejected"]) == ("completed", 0)


def _compare(found: dict[str, Value], expected: dict[str, Value]) -> None:
    wrong = {
        name: (found[name], value)
        for name, value in expected.items()
        if not same(found[name], value)
    }
    assert not wrong


def same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float | int):
        return one == pytest.approx(other, rel=1e-9, abs=0.0051)
    return one == other

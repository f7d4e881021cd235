"""A suite is backed up while it is written to, restored into a new cluster, and goes on (L5)."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bihuan.data_folder import SERVICES, DataFolder
from bihuan.doctor import State, examine
from shared.postgres import EmbeddedPostgres
from tests.e2e.running import RunningSuite, running_suite
from tests.e2e.test_loop import consent, contact, offers, ready_customer, recommend, report

BEFORE, AFTER = "2026-03-04T10:00:00+08:00", "2026-03-04T11:00:00+08:00"
KNOWN, LATER = "backup-known", "backup-later"
PHONE = "13900001234"
LONGEST_WRITE_SECONDS = 5.0  # three calls; a lock held for the length of a dump would show
STATES = (
    *(("strategy", "profile"), ("strategy", "segment"), ("strategy", "feedback")),
    *(("segment", "profile"), ("feedback", "profile")),
)
"""Readers that must not know more than what they read, once restored."""


@dataclass
class Ledger:
    """What a client was told before the backup began, or while it was taken."""

    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    contact: dict[str, Any] = field(default_factory=dict[str, Any])
    cursors: dict[str, str] = field(default_factory=dict[str, str])
    kids: set[str] = field(default_factory=set[str])
    written: list[str] = field(default_factory=list[str])
    written_before: int = 0
    written_while: int = 0
    longest_write_seconds: float = 0.0


@dataclass
class Restored:
    """The suite that was started on the restored folder, and what is known of the one before."""

    suite: RunningSuite
    ledger: Ledger
    places: dict[tuple[str, str], tuple[int, int]]


def bihuan(*arguments: str) -> None:
    command = [sys.executable, "-m", "bihuan.cli", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def tell(suite: RunningSuite, ledger: Ledger) -> None:
    """Let things happen to one customer, and write down every answer about it."""
    ready_customer(suite, KNOWN)
    suite.call("PATCH", f"/v1/customers/{KNOWN}", json={"phone": PHONE}, expect=200)
    decision = recommend(suite, KNOWN, 20)
    refused = decision["propositions"][0]
    assert report(suite, refused["id"], "refused", reason="rate").is_success
    suite.eventually(lambda: refused["product"] not in {o["product"] for o in offers(suite, KNOWN)})
    ledger.contact = contact(suite, KNOWN, "backup-key").json()
    assert ledger.contact["state"] == "reserved", ledger.contact
    customer = f"/v1/customers/{KNOWN}"
    explained = f"/v1/decisions/{decision['decision_id']}/explain"
    listed = ("consents", "assessments", "outcomes", "holdings")
    paths = [customer, explained, *(f"{customer}/{name}" for name in listed)]
    ledger.answers = {path: suite.call("GET", path, expect=200).json() for path in paths}
    ledger.cursors = {service: cursor_of(suite, service) for service in SERVICES}
    ledger.kids = kids(suite)


def cursor_of(suite: RunningSuite, service: str) -> str:
    path = f"/v1/feeds/{service}"
    return suite.call("GET", path, client="operator", expect=200).json()["head"]


def kids(suite: RunningSuite) -> set[str]:
    return {key["kid"] for key in suite.http.get("/.well-known/jwks.json").json()["keys"]}


@contextmanager
def writing(suite: RunningSuite, ledger: Ledger) -> Iterator[None]:
    """Write customers, consents and decisions without a pause until the block ends."""
    stop = threading.Event()
    failures: list[str] = []

    def write() -> None:
        while not stop.is_set():
            customer = f"backup-written-{len(ledger.written)}"
            began = time.monotonic()
            body = {"party_type": "person", "birth_date": "1988-05-01"}
            answers = [
                suite.call("PUT", f"/v1/customers/{customer}", json=body),
                consent(suite, customer, "granted"),
                suite.call("POST", "/v1/decisions", json={"customer_id": KNOWN, "channel": "app"}),
            ]
            failures.extend(answer.text for answer in answers if not answer.is_success)
            ledger.written.append(customer)
            took = time.monotonic() - began
            ledger.longest_write_seconds = max(ledger.longest_write_seconds, took)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        suite.eventually(lambda: len(ledger.written) >= 5, seconds=60)
        yield
    finally:
        stop.set()
        writer.join()
    assert failures == []


async def _places(postgres: EmbeddedPostgres) -> dict[tuple[str, str], tuple[int, int]]:
    """Of each reader and its source: how far the one has read, and where the other ends."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for reader, source in STATES:
        read = await _ask(
            postgres,
            reader,
            "SELECT max(split_part(cursor, '.', 2)::bigint) FROM feed_cursor WHERE feed = $1",
            source,
        )
        found[reader, source] = (
            read,
            await _ask(postgres, source, "SELECT position FROM feed_head"),
        )
    return found


async def _ask(postgres: EmbeddedPostgres, owner: str, statement: str, *arguments: str) -> int:
    connection = await asyncpg.connect(postgres.url(f"bihuan_{owner}", f"bihuan_{owner}"))
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def restored() -> Iterator[Restored]:
    ledger = Ledger()
    kept = Path(tempfile.mkdtemp(prefix="bihuan-backups-"))
    demo = ("--demo", "--customers", "300", "--seed", "7")
    with running_suite(*demo, BIHUAN_BUSINESS_NOW=BEFORE) as suite:
        tell(suite, ledger)
        with writing(suite, ledger):
            ledger.written_before = len(ledger.written)
            bihuan("backup", str(kept / "backup"), "--data", str(suite.data))
            ledger.written_while = len(ledger.written) - ledger.written_before
        ready_customer(suite, LATER)
    data = Path(tempfile.mkdtemp(prefix="bihuan-e2e-"))
    data.chmod(0o711)
    bihuan("restore", str(kept / "backup"), "--data", str(data))
    with EmbeddedPostgres(data / "postgres") as postgres:
        places = asyncio.run(_places(postgres))
    with running_suite(*demo, data=data, BIHUAN_BUSINESS_NOW=AFTER) as suite:
        yield Restored(suite, ledger, places)
    shutil.rmtree(kept)


def test_writers_went_on_all_the_while(restored: Restored) -> None:
    assert restored.ledger.written_while > 0
    assert restored.ledger.longest_write_seconds < LONGEST_WRITE_SECONDS


def test_no_reader_knows_a_state_that_its_source_does_not(restored: Restored) -> None:
    ahead = {pair: places for pair, places in restored.places.items() if places[0] > places[1]}
    assert ahead == {}


def test_what_was_answered_before_is_answered_again(restored: Restored) -> None:
    answers = restored.ledger.answers
    again = {path: restored.suite.call("GET", path, expect=200).json() for path in answers}
    assert again == answers
    for written in restored.ledger.written[: restored.ledger.written_before]:
        path = f"/v1/customers/{written}/consents"
        assert restored.suite.call("GET", path, expect=200).json()["consents"], written


def test_what_came_after_the_backup_is_not_in_it(restored: Restored) -> None:
    assert restored.suite.call("GET", f"/v1/customers/{LATER}").status_code == 404


def test_secrets_and_keys_are_the_old_ones(restored: Restored) -> None:
    suite = restored.suite
    assert kids(suite) == restored.ledger.kids
    found = suite.call("POST", "/v1/customers:search", json={"phone": PHONE}, expect=200).json()
    assert [each["customer_id"] for each in found["items"]] == [KNOWN]


def test_a_contact_counts_on_and_its_key_still_brings_it_back(restored: Restored) -> None:
    repeated = contact(restored.suite, KNOWN, "backup-key")
    assert repeated.headers["idempotent-replayed"] == "true"
    assert repeated.json() == restored.ledger.contact
    restored.suite.eventually(
        lambda: contact(restored.suite, KNOWN, "another-key").json()["code"] == "cap_reached"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_l5_an_old_cursor_is_gone_and_the_snapshot_goes_on(
    restored: Restored, service: str
) -> None:
    path, old = f"/v1/feeds/{service}", restored.ledger.cursors[service]
    gone = restored.suite.call("GET", path, client="operator", params={"after": old}, expect=410)
    assert gone.json()["snapshot"] == f"{path}/snapshot"
    with restored.suite.http.stream(
        "GET",
        gone.json()["snapshot"],
        headers={"Authorization": f"Bearer {restored.suite.token('operator')}"},
    ) as lines:
        first = next(lines.iter_lines())
    assert old.split(".")[0] not in first


def test_the_readers_take_the_snapshot_and_the_next_decision_knows_what_is_new(
    restored: Restored,
) -> None:
    suite = restored.suite
    suite.eventually(lambda: offers(suite, KNOWN), seconds=60)
    refused = restored.ledger.answers[f"/v1/customers/{KNOWN}/outcomes"]["items"][0]["product"]
    assert refused not in {offer["product"] for offer in offers(suite, KNOWN)}
    consent(suite, KNOWN, "withdrawn")
    suite.eventually(lambda: not offers(suite, KNOWN))
    consent(suite, KNOWN, "granted")
    suite.eventually(lambda: offers(suite, KNOWN))
    offered = offers(suite, KNOWN)[0]
    report(suite, offered["id"], "refused", reason="rate")
    suite.eventually(lambda: offered["product"] not in {o["product"] for o in offers(suite, KNOWN)})


def test_the_doctor_finds_nothing_wrong(restored: Restored) -> None:
    def wrong() -> list[str]:
        found = examine(DataFolder(restored.suite.data), 0)
        return [f"{f.what}: {f.detail}" for f in found if f.state is State.BAD]

    restored.suite.eventually(lambda: not wrong(), seconds=90, what=str(wrong()))

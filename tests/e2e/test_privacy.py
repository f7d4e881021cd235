"""Personal identifiers stand in no address and in no log, and who asks to be forgotten is."""

from pathlib import Path

import pyarrow as pa

from services.profile.identifiers.domain import KINDS
from tests.e2e.operations import operations_of
from tests.e2e.running import RunningSuite

SECRETS = {
    "name": "欧阳密密",
    "phone": "13987654321",
    "national_id": "110105194912310021",
    "email": "secret.person@example.com",
}
TOLD = "悄悄话七三九"


def logs(suite: RunningSuite) -> dict[Path, str]:
    """Everything that any process of the suite wrote for people to read."""
    files = [suite.data / "up.log", *suite.data.rglob("*.log"), *suite.data.rglob("log/*")]
    return {path: path.read_text(errors="replace") for path in set(files) if path.is_file()}


def test_a13_no_operation_takes_an_identifier_in_its_address(suite: RunningSuite) -> None:
    told = {
        f"{operation}: {parameter['name']}"
        for operation in operations_of(suite)
        for parameter in operation.definition.get("parameters", [])
        if parameter["in"] in {"path", "query"} and parameter["name"] in KINDS
    }

    # names of features, event types, attributes and readers: words of a catalogue
    named = {each for each in told if each.endswith(": name")}
    assert told - named == set()
    assert {each for each in named if "/customers" in each} == set()


def test_a13_no_log_holds_what_identifies_a_person(suite: RunningSuite) -> None:
    path, wrong = "/v1/customers/c-secret", "/v1/customers/c-secret-2"
    suite.call("PUT", path, json={"party_type": "person", **SECRETS}, expect=200)
    suite.call("PUT", wrong, json={"party_type": "person", **SECRETS, "gender": "x"}, expect=422)
    suite.call(
        "PUT",
        f"/v1/customers/{SECRETS['phone']}",
        json={"party_type": "person", "phone": SECRETS["phone"]},
        expect=422,
    )
    suite.call("POST", "/v1/customers:search", json={"name": SECRETS["name"]}, expect=200)
    sought = {"identifiers": {"phone": SECRETS["phone"]}}
    suite.call("POST", "/v1/identities:resolve", json=sought, expect=200)
    suite.call("POST", "/v1/customers:context", json={"phone": SECRETS["phone"]}, expect=200)
    said = {"value": TOLD, "source": "rm"}
    suite.call("PUT", f"{path}/kyc/interests", json=said, expect=200)
    event = {"event_id": "e-secret", "customer_id": "nobody-here", "type": "login",
             "occurred_at": "2026-03-04T01:00:00Z", "data": {"note": TOLD}}  # fmt: skip
    suite.call("POST", "/v1/events", json={"events": [event]}, expect=200)
    table = pa.table(
        {
            "customer_id": ["c-secret-3"],
            "party_type": ["person"],
            **{k: [v] for k, v in SECRETS.items()},
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    job = suite.call(
        "POST", "/v1/customers:import", client="importer", content=sink.getvalue().to_pybytes(),
        headers={"Content-Type": "application/vnd.apache.arrow.stream", "Idempotency-Key": "a13"},
        expect=202,
    ).json()  # fmt: skip
    ended = f"/v1/jobs/{job['job_id']}"
    suite.eventually(
        lambda: suite.call("GET", ended, client="importer").json()["finished_at"], seconds=60
    )

    found = logs(suite)
    assert len(found) > 5
    assert any('"event":"started"' in text for text in found.values())
    told = {
        (path.name, word)
        for path, text in found.items()
        for word in [*SECRETS.values(), TOLD]
        if word in text or word.encode("unicode_escape").decode() in text
    }
    assert told == set()

"""The dialogue with the suite: what is sent, what is reported, and that a second run is told so."""

from pathlib import Path

import httpx
import orjson
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from bihuan.cli import app
from bihuan.http import Refused
from bihuan.importer.mapping import MappingRefused
from bihuan.importer.run import ImportReport, run_import

MAPPING = """
source: tiny
currency: CNY
zone: Asia/Shanghai
business_time: 2020-06-01T10:00:00+08:00
files: {people: {path: people.csv}}
customers:
  - file: people
    fields: {customer_id: "{id}", party_type: "{kind}", birth_date: "{born}"}
"""
PEOPLE = "id,kind,born\n1,person,1990-05-01\n2,person,soon\n3,martian,\n"


class Suite(httpx.BaseTransport):
    """The documented dialogue of an import; `martian` is a party type it does not take."""

    def __init__(self, now: str = "2020-06-01T02:00:00Z") -> None:
        self.now = now
        self.known: set[str] = set()
        self.keys: list[str] = []
        self.job: dict[str, object] = {}
        self.rejects: list[dict[str, object]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 300})
        if path == "/v1/clock":
            return httpx.Response(200, json={"now": self.now})
        assert request.headers["Authorization"] == "Bearer t"
        if path.endswith(":import"):
            return self._take(request)
        if path.endswith("/rejects"):
            return httpx.Response(200, content=b"\n".join(orjson.dumps(r) for r in self.rejects))
        return httpx.Response(200, json=self.job)

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        rows = pa.ipc.open_stream(request.read()).read_all().to_pylist()
        good = [row["customer_id"] for row in rows if row["party_type"] == "person"]
        self.rejects = [
            {"row": at, "id": row["customer_id"], "reason": "bad_party_type"}
            for at, row in enumerate(rows)
            if row["party_type"] != "person"
        ]
        new = [each for each in good if each not in self.known]
        self.known |= {*new}
        self.job = {
            "state": "completed",
            "rows": len(rows),
            "done": len(rows),
            "accepted": len(new),
            "unchanged": len(good) - len(new),
            "rejected": len(self.rejects),
        }
        return httpx.Response(202, json={"job_id": "j1", "state": "queued"})


def _run(folder: Path, suite: httpx.BaseTransport, mapping: str = MAPPING) -> ImportReport:
    (folder / "mapping.yaml").write_text(mapping)
    (folder / "people.csv").write_text(PEOPLE)
    return run_import(
        folder / "mapping.yaml",
        folder,
        "http://suite",
        "importer",
        "secret",
        report=folder / "rejects.csv",
        progress=lambda _step, _done, _total: None,
        transport=suite,
    )


def test_what_fits_loads_and_the_rest_stands_in_the_report_with_file_line_and_reason(
    tmp_path: Path,
) -> None:
    report = _run(tmp_path, Suite())

    assert (report.counts["customers"].accepted, report.rejected) == (1, 2)
    assert (tmp_path / "rejects.csv").read_text().splitlines() == [
        "file,line,reason",
        "people.csv,3,birth_date from born: no date: 'soon'",
        "people.csv,4,bad_party_type: 'martian'",
    ]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    suite = Suite()
    _run(tmp_path, suite)
    again = _run(tmp_path, suite).counts["customers"]

    assert (again.accepted, again.unchanged) == (0, 1)
    assert len(set(suite.keys)) == 2, "each run is a job of its own"


def test_a_check_tells_what_would_be_rejected_and_needs_no_suite(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    (tmp_path / "people.csv").write_text(PEOPLE)
    rejects = tmp_path / "rejects.csv"
    options = ["--check", "--rejects", str(rejects), "--gateway", "http://127.0.0.1:9"]
    done = CliRunner().invoke(
        app, ["import", str(tmp_path / "mapping.yaml"), str(tmp_path), *options]
    )

    assert done.exit_code == 0, done.output
    assert "nothing was sent; 2 customers fit the mapping" in done.output
    assert "1 × birth_date from born: no date: 'soon'" in done.output
    assert rejects.read_text().splitlines()[1:] == [
        "people.csv,3,birth_date from born: no date: 'soon'"
    ]


def test_a_clock_far_from_the_source_s_time_is_noted(tmp_path: Path) -> None:
    assert _run(tmp_path, Suite()).notes == []
    (note,) = _run(tmp_path, Suite(now="2026-01-01T00:00:00Z")).notes
    assert "2026-01-01" in note
    assert "BIHUAN_BUSINESS_NOW" in note


def test_a_report_without_rejects_does_not_outlive_its_cause(tmp_path: Path) -> None:
    (tmp_path / "rejects.csv").write_text("old")
    mapping = MAPPING.replace('birth_date: "{born}"', "name: n") + "    where: {id: ['1']}\n"

    assert _run(tmp_path, Suite(), mapping).rejects_file is None
    assert not (tmp_path / "rejects.csv").exists()


def test_a_mapping_that_does_not_fit_sends_nothing(tmp_path: Path) -> None:
    suite = Suite()
    with pytest.raises(MappingRefused):
        _run(tmp_path, suite, MAPPING.replace("{born}", "{birth}"))

    assert suite.keys == []


def test_a_suite_that_is_down_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not answer"):
        _run(tmp_path, httpx.MockTransport(_nobody))


def _nobody(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")

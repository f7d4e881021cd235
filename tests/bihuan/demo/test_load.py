"""The dialogue of loading: every kind in the order in which they need each other, then scoring."""

from pathlib import Path

import httpx
import orjson
import pyarrow as pa

from bihuan.demo.load import load_demo
from bihuan.demo.truth import Truth
from tests.bihuan.demo.conftest import AS_OF

CUSTOMERS = 200


class Suite(httpx.BaseTransport):
    """Takes everything; its first scoring run comes before it has heard of all customers."""

    def __init__(self) -> None:
        self.imports: list[str] = []
        self.ends: list[str] = []
        self.complaints: list[str] = []
        self.kinds: list[str] = []
        self.rows = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 300})
        if path == "/v1/clock":
            return httpx.Response(200, json={"now": "2026-03-02T02:34:56Z"})
        if path.endswith(":import"):
            self.imports.append(path)
            if request.url.params.get("features") != "later":
                self.ends.append(path)
            self.rows = pa.ipc.open_stream(request.read()).read_all().num_rows
            return httpx.Response(202, json={"job_id": str(self.rows)})
        return httpx.Response(200, json=self._answer(request, path))

    def _answer(self, request: httpx.Request, path: str) -> dict[str, object]:
        if path.startswith("/v1/jobs/"):
            rows = int(path.rpartition("/")[2])
            counts = {"accepted": rows, "unchanged": 0, "rejected": 0}
            return {"state": "completed", "rows": rows, "done": rows, **counts}
        if path.startswith("/v1/scoring-runs/"):
            total = CUSTOMERS if len(self.kinds) > 1 else 10
            return {"state": "completed", "done": total, "total": total}
        if path == "/v1/scoring-runs":
            self.kinds.append(orjson.loads(request.read())["kind"])
            return {"run_id": "r"}
        self.complaints.append(path)
        return {}


def test_the_bank_is_loaded_in_order_and_scored_until_everybody_is(tmp_path: Path) -> None:
    suite = Suite()
    report = load_demo(
        "http://suite",
        "importer",
        "secret",
        customers=CUSTOMERS,
        seed=7,
        folder=tmp_path,
        progress=lambda _step, _done, _total: None,
        transport=suite,
    )

    kinds = [path.removeprefix("/v1/").removesuffix(":import") for path in suite.imports]
    assert kinds == ["customers", "accounts", "holdings", "events", "consents", "assessments"]
    assert suite.ends == ["/v1/assessments:import"], "features follow once, with the last job"
    assert report.accepted == sum(report.sent.values())
    assert report.sent["customers"] == CUSTOMERS
    assert report.complaints == sum(path.endswith("complaints") for path in suite.complaints)
    assert suite.kinds == ["nightly", "nightly"], "the first run did not cover everybody"
    assert report.scoring_run["total"] == CUSTOMERS


def test_without_a_time_the_bank_ends_at_the_last_full_hour_of_the_suite(tmp_path: Path) -> None:
    load_demo(
        "http://suite",
        "importer",
        "secret",
        customers=20,
        seed=7,
        folder=tmp_path,
        progress=lambda _step, _done, _total: None,
        transport=Suite(),
    )

    assert orjson.loads((tmp_path / "truth.json").read_bytes())["as_of"] == AS_OF.isoformat()
    assert Truth.load(tmp_path).frame.height == 20

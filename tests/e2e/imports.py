"""What the tests that bring a whole bank in share: the import itself, exports, scoring, consent."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from bihuan.http import Gateway
from bihuan.importer.run import ImportReport, run_import
from shared.paths import ROOT
from tests.e2e.running import RunningSuite


def import_bank(suite: RunningSuite, example: str, files: Path, rejects: Path) -> ImportReport:
    """Import `files` by the mapping of `examples/<example>`; rejected rows go to `rejects`."""
    return run_import(
        ROOT / "examples" / example / "mapping.yaml",
        files,
        suite.url,
        "importer",
        secret(suite, "importer"),
        report=rejects,
        progress=lambda _step, _done, _total: None,
    )


def secret(suite: RunningSuite, client: str) -> str:
    return (suite.data / "secrets" / client).read_text().strip()


def gateway(suite: RunningSuite, client: str) -> Gateway:
    return Gateway(suite.url, client, secret(suite, client))


def export(suite: RunningSuite, path: str, client: str = "importer") -> pl.DataFrame:
    """Download a whole export, such as /v1/events:export."""
    with gateway(suite, client) as caller:
        frame = pl.from_arrow(caller.download(path))
    assert isinstance(frame, pl.DataFrame)
    return frame


def score(suite: RunningSuite) -> int:
    """Run the nightly scoring; return how many customers it covered."""
    with gateway(suite, "operator") as operator:
        run = operator.post("/v1/scoring-runs", {"kind": "nightly"})
        return operator.follow_scoring(run["run_id"], lambda _done, _total: None)["total"]


def allow_marketing(suite: RunningSuite, customers: Sequence[str]) -> None:
    said = {"channel": "all", "state": "granted", "text_version": "1", "evidence": "form-1"}
    for customer in customers:
        path = f"/v1/customers/{customer}/consents/marketing"
        assert suite.call("PUT", path, json=said).is_success


def offered(suite: RunningSuite, customers: Sequence[str]) -> dict[str, int]:
    """Count what is proposed to each of the customers in the app."""
    answers = {
        customer: suite.call(
            "GET",
            f"/v1/customers/{customer}/recommendations",
            params={"channel": "app", "limit": 3},
        )
        for customer in customers
    }
    return {c: len(a.json()["propositions"]) for c, a in answers.items() if a.is_success}

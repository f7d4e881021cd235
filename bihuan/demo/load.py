"""The demonstration bank into a running suite: bulk imports, complaints by API, one scoring run."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

import httpx
import pyarrow as pa

from bihuan.columns import IMPORTS
from bihuan.demo.bank import Block, TruthWriter, blocks
from bihuan.demo.standing import Complaint
from bihuan.http import Gateway, Json, Refused

SETTLE_SECONDS = 120.0
BLOCKS_PER_UPLOAD = 4  # 20,000 customers, some 100 MB of events: well under the import's limit

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a step, what is done of it, and its total (None: not known)."""


@dataclass(slots=True)
class DemoReport:
    """What was loaded, what the suite said to it, and how long it took."""

    customers: int
    sent: dict[str, int] = field(default_factory=dict)  # rows by kind
    accepted: int = 0
    unchanged: int = 0
    rejected: int = 0
    complaints: int = 0
    load_seconds: float = 0.0
    score_seconds: float = 0.0
    scoring_run: Json = field(default_factory=dict)


def load_demo(
    gateway_url: str,
    client_id: str,
    client_secret: str,
    *,
    customers: int,
    seed: int,
    folder: Path,
    progress: Progress,
    as_of: datetime | None = None,
    transport: httpx.BaseTransport | None = None,
) -> DemoReport:
    """Draw the bank, write its truth into `folder`, load it, and have every customer scored.

    The same arguments load the same bank: a second time every row is unchanged. Nothing in it
    happens later than `as_of`, by default the last full hour of the suite's business clock.

    Raises:
        Refused: if the suite does not answer, or a job or the scoring run failed.
    """
    report = DemoReport(customers=customers)
    began = time.monotonic()
    with Gateway(gateway_url, client_id, client_secret, transport=transport) as gateway:
        as_of = as_of or _last_full_hour(gateway)
        with TruthWriter(folder, customers=customers, seed=seed, as_of=as_of) as truth:
            drawn = blocks(customers, seed=seed, as_of=as_of)
            while some := list(islice(drawn, BLOCKS_PER_UPLOAD)):
                truth.write_all(some)
                _load(gateway, some, report, progress)
        report.load_seconds = time.monotonic() - began
        _score(gateway, report, progress)
    report.score_seconds = time.monotonic() - began - report.load_seconds
    return report


def _last_full_hour(gateway: Gateway) -> datetime:
    now = datetime.fromisoformat(gateway.get_open("/v1/clock")["now"])
    return now.replace(minute=0, second=0, microsecond=0)


def _load(gateway: Gateway, some: list[Block], report: DemoReport, progress: Progress) -> None:
    """Queue one job a kind, in the order in which they need each other, then see them done."""
    jobs: list[tuple[str, str]] = []
    for target in IMPORTS:
        table = pa.concat_tables([block.tables[target.kind] for block in some])
        jobs.append((target.kind, gateway.upload(target.path, table)))
        report.sent[target.kind] = report.sent.get(target.kind, 0) + table.num_rows
    for kind, job_id in jobs:
        before = report.sent[kind] - sum(block.tables[kind].num_rows for block in some)
        job = gateway.follow_job(job_id, _telling(progress, kind, before))
        report.accepted += job["accepted"]
        report.unchanged += job["unchanged"]
        report.rejected += job["rejected"]
    report.complaints += _complain(gateway, some, progress)


def _telling(progress: Progress, step: str, before: int = 0) -> Callable[[int, int], None]:
    return lambda done, total: progress(step, before + done, before + total)


def _complain(gateway: Gateway, some: list[Block], progress: Progress) -> int:
    complaints = [complaint for block in some for complaint in block.complaints]
    for done, complaint in enumerate(complaints, 1):
        _open(gateway, complaint)
        progress("complaints", done, len(complaints))
    return len(complaints)


def _open(gateway: Gateway, complaint: Complaint) -> None:
    path = f"/v1/customers/{complaint.customer_id}/complaints"
    gateway.post(path, {"complaint_id": complaint.complaint_id, "category": complaint.category})
    if complaint.is_closed:
        gateway.post(f"{path}/{complaint.complaint_id}/close")


def _score(gateway: Gateway, report: DemoReport, progress: Progress) -> None:
    """Ask for runs until one covers everybody: segments follow profile's feed a little behind.

    Nightly ones, since only these move tiers: the first customers were scored, on arrival, before
    their money was known.
    """
    until = time.monotonic() + SETTLE_SECONDS
    told = _telling(progress, "scoring")
    while report.scoring_run.get("total", 0) < report.customers:
        if time.monotonic() > until:
            raise Refused(f"only {report.scoring_run['total']} customers were scored in time")
        run = gateway.post("/v1/scoring-runs", {"kind": "nightly"})
        report.scoring_run = gateway.follow_scoring(run["run_id"], told)

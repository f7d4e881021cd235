"""The demonstration bank into a running suite: bulk imports, complaints by API, one scoring run."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx

from bihuan.columns import IMPORTS
from bihuan.demo.bank import Block, TruthWriter, blocks
from bihuan.demo.standing import Complaint
from bihuan.http import Gateway, Json, Refused

COMPLAINTS_AT_ONCE = 2
SETTLE_SECONDS = 120.0  # for a scoring run to cover more customers than the one before

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a step, what is done of it, and its total (None: not known)."""
Told = Callable[[int, int], None]
"""Called with what is done, and the total."""


@dataclass(slots=True)
class DemoReport:
    """What was loaded, what the suite said to it, and how long it took."""

    customers: int
    sent: dict[str, int] = field(default_factory=dict)  # rows by kind
    taken: dict[str, int] = field(default_factory=dict)  # those gone through
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
        with (
            TruthWriter(folder, customers=customers, seed=seed, as_of=as_of) as truth,
            _Load(gateway, report, progress) as load,
        ):
            drawn = 0
            for block in blocks(customers, seed=seed, as_of=as_of):
                truth.write(block.truth)
                drawn += block.customers
                load.send(block, is_last=drawn == customers)
            load.end()
        report.load_seconds = time.monotonic() - began
        _score(gateway, report, progress)
    report.score_seconds = time.monotonic() - began - report.load_seconds
    return report


def _last_full_hour(gateway: Gateway) -> datetime:
    now = datetime.fromisoformat(gateway.get_open("/v1/clock")["now"])
    return now.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A block on its way: its jobs by kind, and what is told once its customers are there."""

    jobs: dict[str, str]
    complaints: list[Complaint]


class _Load:
    """Hands blocks over one after the other: while the suite takes one in, the next is drawn.

    Memory holds two blocks, whatever the size of the bank. Features follow once, with the last job.
    """

    def __init__(self, gateway: Gateway, report: DemoReport, progress: Progress) -> None:
        self._gateway, self._report, self._progress = gateway, report, progress
        self._under_way: _Sent | None = None
        self._beside = ThreadPoolExecutor(COMPLAINTS_AT_ONCE)
        self._opened: list[Future[None]] = []

    def __enter__(self) -> "_Load":
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown(cancel_futures=True)

    def send(self, block: Block, *, is_last: bool) -> None:
        """Queue one job a kind, in the order in which they need each other."""
        before, jobs = self._under_way, dict[str, str]()
        for target in IMPORTS:
            kind, table = target.kind, block.tables[target.kind]
            is_part = not (is_last and target is IMPORTS[-1])
            jobs[kind] = self._gateway.upload(target.path, table, features_later=is_part)
            self._report.sent[kind] = self._report.sent.get(kind, 0) + table.num_rows
        self._under_way = _Sent(jobs, block.complaints)
        if before is not None:
            self._follow(before)

    def end(self) -> None:
        """See the last block done, and the features and complaints of all."""
        if self._under_way is not None:
            self._follow(self._under_way)
        for done, opened in enumerate(self._opened, 1):
            opened.result()
            self._progress("complaints", done, len(self._opened))
        self._report.complaints = len(self._opened)

    def _follow(self, sent: _Sent) -> None:
        report, taken = self._report, self._report.taken
        for kind, job_id in sent.jobs.items():
            told = self._telling(kind, taken.get(kind, 0), report.sent[kind])
            job = self._gateway.follow_job(job_id, told, self._telling("features"))
            taken[kind] = taken.get(kind, 0) + job["rows"]
            report.accepted += job["accepted"]
            report.unchanged += job["unchanged"]
            report.rejected += job["rejected"]
        self._opened += [self._beside.submit(self._open, each) for each in sent.complaints]

    def _telling(self, step: str, before: int = 0, total: int | None = None) -> Told:
        return lambda done, all_: self._progress(step, before + done, total or all_)

    def _open(self, complaint: Complaint) -> None:
        path = f"/v1/customers/{complaint.customer_id}/complaints"
        body = {"complaint_id": complaint.complaint_id, "category": complaint.category}
        self._gateway.post(path, body)
        if complaint.is_closed:
            self._gateway.post(f"{path}/{complaint.complaint_id}/close")


def _score(gateway: Gateway, report: DemoReport, progress: Progress) -> None:
    """Ask for runs until one covers everybody: segments follow profile's feed a little behind.

    Nightly ones, since only these move tiers: the first customers were scored, on arrival, before
    their money was known.
    """
    until, covered = time.monotonic() + SETTLE_SECONDS, 0
    while covered < report.customers:
        if time.monotonic() > until:
            raise Refused(f"only {covered} of {report.customers} customers were scored in time")
        run = gateway.post("/v1/scoring-runs", {"kind": "nightly"})
        report.scoring_run = gateway.follow_scoring(run["run_id"], partial(progress, "scoring"))
        if report.scoring_run["total"] > covered:
            covered = report.scoring_run["total"]
            until = time.monotonic() + SETTLE_SECONDS

"""`bihuan import`: translate a source's files, hand them to the suite, tell what became of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path

import httpx
import polars as pl

from bihuan.columns import arrow
from bihuan.http import Gateway, Refused
from bihuan.importer.mapping import TARGETS, Mapping, load_mapping
from bihuan.importer.sources import LINE, Sources
from bihuan.importer.translate import FILE, REASON, LedgerCheck, Total, Translation, translate

ROWS_PER_JOB = 500_000
CLOCKS_AGREE_WITHIN = timedelta(days=1)
REASONS_TOLD = 5

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a step, what is done of it, and its total (None: not known)."""


@dataclass(slots=True)
class Counts:
    """Rows of one kind: handed over, and what the suite said to them."""

    sent: int = 0
    accepted: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(slots=True)
class ImportReport:
    """What became of a source.

    `rejected` counts rows that the mapping could not translate and rows that the suite did not
    take; each stands in `rejects_file` with its file, line and reason.
    """

    source: str
    counts: dict[str, Counts] = field(default_factory=dict)
    skipped: int = 0
    rejected: int = 0
    rejects_file: Path | None = None
    reasons: list[tuple[str, int]] = field(default_factory=list)  # the most frequent, with rows
    totals: list[Total] = field(default_factory=list)
    ledgers: list[LedgerCheck] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run_import(
    mapping: Path,
    directory: Path,
    gateway_url: str,
    client_id: str,
    client_secret: str,
    *,
    report: Path | None = None,
    progress: Progress,
    transport: httpx.BaseTransport | None = None,
) -> ImportReport:
    """Import the files of `directory` as `mapping` says; run again, it changes nothing.

    Args:
        mapping: the YAML file.
        directory: where the source's files are.
        gateway_url: of the suite.
        client_id: an OAuth client with the scopes customers:import and jobs:read.
        client_secret: its secret.
        report: where rejected rows are written; by default `<source>-rejects.csv`.
        progress: told what is done.
        transport: tests pass their own.

    Raises:
        MappingRefused: if the mapping or the files do not fit; nothing has been sent.
        Refused: if the suite does not answer, or a job failed as a whole.
    """
    began = time.monotonic()
    plan, done, result = _translated(mapping, directory, progress)
    with Gateway(gateway_url, client_id, client_secret, transport=transport) as gateway:
        result.notes = _notes(plan, gateway)
        refused = _hand_over(gateway, done, result, progress)
    rejects = pl.concat([done.rejects.select(FILE, LINE, REASON), *refused])
    _write_rejects(plan, rejects, report, result)
    result.seconds = time.monotonic() - began
    return result


def check_import(
    mapping: Path, directory: Path, *, report: Path | None = None, progress: Progress
) -> ImportReport:
    """Read and translate as `run_import` does, and hand nothing over: no suite is needed.

    What only the suite knows is not checked, such as whether a customer is known there.

    Raises:
        MappingRefused: if the mapping or the files do not fit.
    """
    began = time.monotonic()
    plan, done, result = _translated(mapping, directory, progress)
    fits = ", ".join(f"{frame.height:,} {kind}" for kind, frame in done.frames.items())
    result.notes = [f"checked only, nothing was sent; {fits} fit the mapping"]
    _write_rejects(plan, done.rejects, report, result)
    result.seconds = time.monotonic() - began
    return result


def _translated(
    mapping: Path, directory: Path, progress: Progress
) -> tuple[Mapping, Translation, ImportReport]:
    plan = load_mapping(mapping)
    sources = Sources(plan, directory)
    sources.check()
    progress("reading and translating", 0, 1)
    done = translate(plan, sources)
    progress("reading and translating", 1, 1)
    result = ImportReport(plan.source, skipped=done.skipped, totals=done.totals)
    result.ledgers = done.ledgers
    return plan, done, result


def _notes(plan: Mapping, gateway: Gateway) -> list[str]:
    """A clock far from the source's own time counts every age and window from elsewhere."""
    if plan.business_time is None:
        return []
    now = _business_now(gateway)
    if now is None or abs(now - plan.business_time) <= CLOCKS_AGREE_WITHIN:
        return []
    return [
        f"the suite's business time is {now:%Y-%m-%d %H:%M}, the source's is "
        f"{plan.business_time:%Y-%m-%d %H:%M}: set BIHUAN_BUSINESS_NOW if features shall count "
        "from the source's"
    ]


def _business_now(gateway: Gateway) -> datetime | None:
    try:
        return datetime.fromisoformat(gateway.get_open("/v1/clock")["now"])
    except Refused as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _hand_over(
    gateway: Gateway, done: Translation, result: ImportReport, progress: Progress
) -> list[pl.DataFrame]:
    """Job by job, in order; returns the rows that the suite rejected.

    Features follow once, with the last job.
    """
    parts = [
        (kind, some)
        for kind, frame in done.frames.items()
        for some in frame.iter_slices(ROWS_PER_JOB)
        if some.height
    ]
    result.counts = {kind: Counts() for kind in done.frames}
    refused: list[pl.DataFrame] = []
    for number, (kind, some) in enumerate(parts, 1):
        counts = result.counts[kind]
        told = _telling(progress, kind, counts.sent, done.frames[kind].height)
        job_id = gateway.upload(
            TARGETS[kind].path, arrow(some, TARGETS[kind]), features_later=number < len(parts)
        )
        job = gateway.follow_job(job_id, told, partial(progress, "features"))
        counts.sent += some.height
        counts.accepted += job["accepted"]
        counts.unchanged += job["unchanged"]
        counts.rejected += job["rejected"]
        if job["rejected"]:
            refused.append(_refused(gateway, job_id, some))
    return refused


def _telling(progress: Progress, step: str, before: int, total: int) -> Callable[[int, int], None]:
    return lambda done, _: progress(step, before + done, total)


def _refused(gateway: Gateway, job_id: str, sent: pl.DataFrame) -> pl.DataFrame:
    """The suite's rejects, at the file and line that they came from."""
    rejects = list(gateway.rejects(job_id))
    rows = sent[[reject["row"] for reject in rejects]]
    told = [
        _with_value(reject["reason"], row)
        for reject, row in zip(rejects, rows.iter_rows(named=True), strict=True)
    ]
    return rows.select(FILE, LINE).with_columns(pl.Series(REASON, told, dtype=pl.String))


def _with_value(reason: str, row: dict[str, object]) -> str:
    """Say what stood there: `unknown_customer` means `customer_id`, `bad_gender` means `gender`."""
    _, _, word = reason.partition("_")
    value = row.get(word, row.get(f"{word}_id"))
    return f"{reason}: '{value}'" if isinstance(value, str) else reason


def _write_rejects(
    plan: Mapping, rejects: pl.DataFrame, report: Path | None, result: ImportReport
) -> None:
    """One line a rejected row: file, line, reason. An earlier report does not outlive its cause."""
    path = report or Path(f"{plan.source}-rejects.csv")
    result.rejected = rejects.height
    counts = rejects.group_by(REASON).len().sort("len", REASON, descending=[True, False])
    result.reasons = list(counts.head(REASONS_TOLD).iter_rows())
    paths = {name: spec.path for name, spec in plan.files.items()}
    table = rejects.select(
        pl.col(FILE).replace(paths).alias("file"),
        pl.col(LINE).alias("line"),
        pl.col(REASON).alias("reason"),
    )
    if rejects.height:
        table.sort("file", "line").write_csv(path)
        result.rejects_file = path
    else:
        path.unlink(missing_ok=True)

"""`bihuan`: run the suite and speak to it. Everything but `up` and `doctor` goes over HTTP only."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bihuan import demonstration, plan, up
from bihuan.data_folder import SERVICES, DataFolder, FolderUnusable, UnknownClient
from bihuan.databases import DatabaseUnusable, require_usable
from bihuan.doctor import State, examine
from bihuan.doctor.report import findings_table
from bihuan.http import Gateway, Refused
from bihuan.plan import PortTaken, Wish
from bihuan.progress import progress_bars
from bihuan.reports import import_tables
from bihuan.suite import NotReady, Suite
from shared.postgres import PostgresError

OPERATOR = "operator"
DEFAULT_GATEWAY = "http://127.0.0.1:8000"
MENDABLE = (
    *(Refused, NotReady, PortTaken, PostgresError, UnknownClient),
    *(FolderUnusable, DatabaseUnusable, OSError),
)

app = typer.Typer(
    name="bihuan",
    help="Bihuan (闭环): the customer-operations platform for banks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
console = Console()

Data = Annotated[
    Path, typer.Option("--data", envvar="BIHUAN_DATA", help="Folder of database, secrets and logs")
]
GatewayUrl = Annotated[
    str | None,
    typer.Option("--gateway", envvar="BIHUAN_GATEWAY_URL", help="Default: the running suite's"),
]
Customers = Annotated[int, typer.Option(min=1, help="Size of the demonstration bank")]
Seed = Annotated[int, typer.Option(help="Another seed is another bank")]


@app.command("up")
def start(
    *,
    data: Data = Path("data"),
    port: Annotated[int, typer.Option(help="Port of the gateway")] = 8000,
    base_port: Annotated[
        int | None, typer.Option(help="Port of profile; the other services follow")
    ] = None,
    demo: Annotated[bool, typer.Option(help="Load the demonstration bank, once")] = False,
    customers: Customers = 10_000,
    seed: Seed = 7,
    environment: Annotated[
        str | None,
        typer.Option(
            envvar="BIHUAN_ENVIRONMENT",
            help="production, demonstration or test; default demonstration with --demo",
        ),
    ] = None,
    business_now: Annotated[
        str | None, typer.Option(envvar="BIHUAN_BUSINESS_NOW", help="Move the business clock")
    ] = None,
) -> None:
    """Start the whole suite, and PostgreSQL with it if no database is set."""
    folder = DataFolder(data.resolve())
    wish = Wish(
        data=folder.root,
        port=port,
        base_port=base_port,
        environment=environment or ("demonstration" if demo else "production"),
        business_now=business_now,
    )
    with _errors_in_words(), up.stopped_by_signals():
        folder.prepare()
        suite = Suite(
            folder,
            plan.programs(wish),
            plan.missing_databases(),
            check=lambda: folder.make_keys(is_new=require_usable(folder)),
        )
        with suite:
            up.wait_until_ready(suite, console)
            gateway_url = f"http://{plan.HOST}:{port}"
            if demo and folder.read_loaded() is None:
                _load_demo(suite, gateway_url, customers, seed)
            look_at = up.keep_while(suite, partial(demonstration.example, folder, gateway_url))
            up.explain(folder, gateway_url, look_at, console)
            up.keep(suite)
    console.print("stopped")


@app.command()
def demo(
    *,
    data: Data = Path("data"),
    gateway: GatewayUrl = None,
    customers: Customers = 10_000,
    seed: Seed = 7,
) -> None:
    """Load the demonstration bank into the running suite and score it."""
    folder = DataFolder(data.resolve())
    with _errors_in_words(), progress_bars(console) as report:
        url = _gateway_url(folder, gateway)
        demonstration.bring(folder, url, customers=customers, seed=seed, report=report)
    console.print(f"loaded {customers:,} customers; look at {demonstration.example(folder, url)}")


@app.command("import")
def import_bank(
    mapping: Annotated[Path, typer.Argument(exists=True, help="YAML that describes the files")],
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The files")],
    *,
    data: Data = Path("data"),
    gateway: GatewayUrl = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go; default <source>-rejects.csv")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would be rejected; send nothing")
    ] = False,
    client: Annotated[str, typer.Option(help="OAuth client to act as")] = demonstration.LOADER,
) -> None:
    """Bring a real bank's files in through a declarative mapping."""
    from bihuan.importer.mapping import MappingRefused  # noqa: PLC0415  `--help` need not wait
    from bihuan.importer.run import check_import, run_import  # noqa: PLC0415  as above

    folder = DataFolder(data.resolve())
    with _errors_in_words(MappingRefused), progress_bars(console) as progress:
        if check:
            done = check_import(mapping, directory, report=rejects, progress=progress)
        else:
            done = run_import(
                mapping,
                directory,
                _gateway_url(folder, gateway),
                client,
                folder.secret_of(client),
                report=rejects,
                progress=progress,
            )
    for part in import_tables(done):
        console.print(part, soft_wrap=isinstance(part, str), markup=False)


@app.command()
def score(
    *,
    data: Data = Path("data"),
    gateway: GatewayUrl = None,
    kind: Annotated[str, typer.Option(help="nightly, or full to compute all anew")] = "nightly",
    client: Annotated[str, typer.Option(help="OAuth client to act as")] = OPERATOR,
) -> None:
    """Score all customers: levels, segments, RFM."""
    with _errors_in_words(), progress_bars(console) as report:
        caller = _client(data, gateway, client)
        run_id = caller.post("/v1/scoring-runs", {"kind": kind})["run_id"]
        run = caller.follow_scoring(run_id, partial(report, "customers scored"))
    console.print(f"{run['changed']:,} of {run['total']:,} customers changed")


@app.command()
def token(
    *,
    data: Data = Path("data"),
    gateway: GatewayUrl = None,
    client: Annotated[str, typer.Option(help="crm, app, developer, operator …")] = "crm",
    scope: Annotated[str | None, typer.Option(help="Narrow it; names joined by spaces")] = None,
    customer: Annotated[str | None, typer.Option(help="Bind it to one customer")] = None,
) -> None:
    """Print an access token."""
    with _errors_in_words():
        answer = _client(data, gateway, client).token(scope=scope, customer=customer)
    typer.echo(answer["access_token"])


@app.command()
def rebuild(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}")],
    *,
    data: Data = Path("data"),
    gateway: GatewayUrl = None,
    source: Annotated[str | None, typer.Option(help="Only from this service; default all")] = None,
    client: Annotated[str, typer.Option(help="OAuth client to act as")] = OPERATOR,
) -> None:
    """Make a service read anew, from their snapshots, what it follows of the others."""
    if service not in SERVICES:
        raise typer.BadParameter(f"choose one of {', '.join(SERVICES)}")
    with _errors_in_words():
        params = {"source": source} if source else {}
        path = f"/v1/feeds/{service}/rebuild"
        answer = _client(data, gateway, client).post(path, params=params)
    console.print(f"{answer['readers']} readers of {service} begin again")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Folder to be made, readable by you alone")],
    *,
    data: Data = Path("data"),
) -> None:
    """Back up databases, secrets and keys, also while the suite runs."""
    from bihuan.backup import BackupRefused, save  # noqa: PLC0415  `--help` need not wait

    folder = DataFolder(data.resolve())
    with _errors_in_words(BackupRefused), progress_bars(console) as report:
        made = save(folder, target.resolve(), report)
    console.print(f"{target} holds everything as it was at {made.taken_at:%Y-%m-%d %H:%M:%S} UTC")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A backup")],
    *,
    data: Data = Path("data"),
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite what folder and databases hold")
    ] = False,
) -> None:
    """Restore a backup into a new data folder, or into the databases that are set."""
    from bihuan.backup import BackupRefused, restore  # noqa: PLC0415  as above

    folder = DataFolder(data.resolve())
    with _errors_in_words(BackupRefused), progress_bars(console) as report:
        made = restore(folder, source.resolve(), replace=replace, report=report)
    console.print(
        f"restored as of {made.taken_at:%Y-%m-%d %H:%M:%S} UTC; what happened later is not in it: "
        f"see docs/OPERATIONS.md before you start the suite"
    )


@app.command("new-epoch")
def new_epoch(*, data: Data = Path("data")) -> None:
    """Tell every feed that its database went back in time by other means than `restore`."""
    from bihuan.backup import BackupRefused, begin_new_epochs  # noqa: PLC0415  as above

    with _errors_in_words(BackupRefused):
        begin_new_epochs(DataFolder(data.resolve()))
    console.print("every feed has a new epoch; its readers take the snapshot")


@app.command()
def doctor(
    *,
    data: Data = Path("data"),
    port: Annotated[int, typer.Option(help="Port the gateway would take")] = 8000,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """Say what is wrong and what to do about it; exit code 1 if anything is."""
    with _errors_in_words():
        findings = list(examine(DataFolder(data.resolve()), port))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for part in findings_table(findings):
            console.print(part)
    if any(finding.state is State.BAD for finding in findings):
        raise typer.Exit(1)


def _load_demo(suite: Suite, gateway_url: str, customers: int, seed: int) -> None:
    """Have `bihuan demo` do it: what drawing a bank takes of memory would stay here for good."""
    program = [sys.executable, "-m", "bihuan.cli", "demo", "--data", str(suite.folder.root)]
    program += ["--gateway", gateway_url, "--customers", str(customers), "--seed", str(seed)]
    if code := up.run_beside(suite, program):
        raise typer.Exit(code)


def _client(data: Path, gateway: str | None, client_id: str) -> Gateway:
    folder = DataFolder(data.resolve())
    return Gateway(_gateway_url(folder, gateway), client_id, folder.secret_of(client_id))


def _gateway_url(folder: DataFolder, given: str | None) -> str:
    run = folder.read_run()
    return given or (run["gateway_url"] if run else DEFAULT_GATEWAY)


@contextmanager
def _errors_in_words(*more: type[Exception]) -> Generator[None]:
    """What people can mend is told in one sentence; a trace is for our own mistakes."""
    try:
        yield
    except (*MENDABLE, *more) as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {error}", highlight=False)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()

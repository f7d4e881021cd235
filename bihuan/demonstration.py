"""Bring the demonstration bank into a running suite and find a customer worth looking at."""

import time
from datetime import datetime

from bihuan.data_folder import DataFolder
from bihuan.demo.ids import customer_id
from bihuan.http import Gateway, Refused
from bihuan.progress import Report

LOADER, READER = "importer", "crm"
CANDIDATES = 200
SETTLE_SECONDS = 20.0


def bring(
    folder: DataFolder, gateway_url: str, *, customers: int, seed: int, report: Report
) -> None:
    """Draw, load and score the bank; note what was loaded.

    Loading is idempotent by the bank's own ids, so an interrupted one is simply repeated.

    Args:
        folder: gets the truth about the customers; holds the clients' secrets.
        gateway_url: of a suite that is ready.
        customers: size of the bank.
        seed: another seed is another bank.
        report: told how far it is.
    """
    from bihuan.demo.load import load_demo  # noqa: PLC0415  half a second that `--help` need not wait

    secret = folder.secret_of(LOADER)
    now = Gateway(gateway_url, LOADER, secret).get_open("/v1/clock")["now"]
    load_demo(
        gateway_url,
        LOADER,
        secret,
        customers=customers,
        seed=seed,
        folder=folder.demo,
        as_of=datetime.fromisoformat(now),
        progress=report,
    )
    folder.write_loaded({"customers": customers, "seed": seed, "as_of": now})


def example(folder: DataFolder, gateway_url: str) -> str | None:
    """A customer of the loaded bank who is recommended something of their own.

    The first one if nobody is in time, as right after loading; None if no bank was loaded.
    """
    loaded = folder.read_loaded()
    if loaded is None:
        return None
    gateway = Gateway(gateway_url, READER, folder.secret_of(READER))
    ids = [customer_id(number + 1) for number in range(min(loaded["customers"], CANDIDATES))]
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        for customer in ids:
            if _is_recommended_something(gateway, customer):
                return customer
        time.sleep(1)
    return ids[0]


def _is_recommended_something(gateway: Gateway, customer: str) -> bool:
    asked = {"customer_id": customer, "channel": "app", "dry_run": True}
    try:
        answer = gateway.post("/v1/decisions", asked)
    except Refused:
        return False
    return bool(answer["propositions"]) and answer["mode"] == "personalized"

"""Run the benchmarks: `make bench`, or `make bench ARGS=--short` for a quick look."""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import (
    as_of,
    calibrate,
    events,
    exports,
    floor,
    freshness,
    imports,
    memory,
    product,
    recommendations,
    report,
    scoring,
    shelf,
    view,
)
from bench.plan import FULL, SHORT, Plan

ALONE: Mapping[str, Callable[[product.Product, Plan], dict[str, Any]]] = {
    "events": events.run,
    "freshness": freshness.run,
    "scoring": scoring.run,
    "as_of": as_of.run,
    "exports": exports.run,
    "memory": memory.run,
}
"""Figures of the suite that bring their floor with them, if they have one."""

FIGURES = ("recommendations", "view", *ALONE, "imports")


def main() -> None:
    wanted = _arguments()
    plan = SHORT if wanted.short else FULL
    speed = calibrate.measure()
    speed["slowdown"] = round(calibrate.slowdown(speed), 3)
    report.show("machine", {"now": speed})
    common: dict[str, Any] = {"plan": asdict(plan), "machine": speed}
    customers = wanted.customers or plan.customers
    with_bank = [name for name in wanted.figures if name != "imports"]
    if with_bank:
        with product.running(wanted.data, customers=customers) as suite:
            if wanted.data is None:  # another's suite keeps its catalogue
                common["actions"] = shelf.fill(suite)
            for name in with_bank:
                _tell(name, common | _measure(name, suite, plan))
    if "imports" in wanted.figures:
        with product.running(None, customers=None) as suite:
            _tell("imports", common | imports.run(suite, customers=customers))


def _tell(name: str, result: dict[str, Any]) -> None:
    report.show(name, result["figures"])
    if "ratios" in result:
        report.show(f"{name}: ratios", {"now": result["ratios"]})
    report.write(name, result)


def _measure(name: str, suite: product.Product, plan: Plan) -> dict[str, Any]:
    if name in ALONE:
        return ALONE[name](suite, plan)
    with tempfile.TemporaryDirectory(prefix="bihuan-floor-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run under another account than ours
        measured = view if name == "view" else recommendations
        with floor.running(Path(folder)) as started:
            return measured.run(suite, started, plan)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figures", nargs="*", help=f"some of {', '.join(FIGURES)}; default: all")
    parser.add_argument("--short", action="store_true", help="a quick look, a minute or two")
    parser.add_argument("--data", type=Path, help="data folder of a suite that runs already")
    parser.add_argument("--customers", type=int, help="size of the demonstration bank")
    wanted = parser.parse_args()
    wanted.figures = wanted.figures or FIGURES
    if unknown := set(wanted.figures) - set(FIGURES):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    return wanted


if __name__ == "__main__":
    main()

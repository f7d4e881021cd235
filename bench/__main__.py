"""Run the benchmarks: `make bench`, or `make bench ARGS=--short` for a quick look."""

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import (
    calibrate,
    events,
    floor,
    freshness,
    memory,
    product,
    recommendations,
    report,
    scoring,
)
from bench.plan import FULL, SHORT, Plan

FIGURES = ("recommendations", "events", "freshness", "scoring", "memory")


def main() -> None:
    wanted = _arguments()
    plan = SHORT if wanted.short else FULL
    speed = calibrate.measure()
    speed["slowdown"] = round(calibrate.slowdown(speed), 3)
    report.show("machine", {"now": speed})
    common = {"plan": asdict(plan), "machine": speed}
    with product.running(wanted.data, customers=plan.customers) as suite:
        for name in wanted.figures:
            result = _measure(name, suite, plan)
            report.show(name, result["figures"])
            if "ratios" in result:
                report.show(f"{name}: ratios", {"now": result["ratios"]})
            report.write(name, common | result)


def _measure(name: str, suite: product.Product, plan: Plan) -> dict[str, Any]:
    if name == "events":
        return events.run(suite, plan)
    if name == "freshness":
        return freshness.run(suite, plan)
    if name == "scoring":
        return scoring.run(suite)
    if name == "memory":
        return memory.run(suite, plan)
    with tempfile.TemporaryDirectory(prefix="bihuan-floor-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run under another account than ours
        with floor.running(Path(folder)) as started:
            return recommendations.run(suite, started, plan)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figures", nargs="*", help=f"some of {', '.join(FIGURES)}; default: all")
    parser.add_argument("--short", action="store_true", help="a quick look, a minute or two")
    parser.add_argument("--data", type=Path, help="data folder of a suite that runs already")
    wanted = parser.parse_args()
    wanted.figures = wanted.figures or FIGURES
    if unknown := set(wanted.figures) - set(FIGURES):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    return wanted


if __name__ == "__main__":
    main()

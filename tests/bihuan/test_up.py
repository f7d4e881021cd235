"""`bihuan up`: what it prints works when pasted, and it ends when told to."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from bihuan.data_folder import DataFolder
from bihuan.suite import Suite
from bihuan.up import STOPPING, Stopped, explain, keep_while, run_beside, stopped_by_signals
from tests.bihuan.fake_gateway import serving


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(DataFolder(tmp_path), [])


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_printed_curl_works_when_pasted(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare()
    said = io.StringIO()
    with serving() as url:
        explain(folder, url, "C00000001", Console(file=said, width=40))
        pasted = [
            line for line in said.getvalue().splitlines() if line.startswith(("TOKEN=", "curl"))
        ]
        answer = subprocess.run(
            ["sh", "-c", "\n".join(pasted)], capture_output=True, text=True, check=True
        ).stdout
    assert "/v1/customers/C00000001/recommendations?channel=app&limit=3" in answer
    assert "Bearer token of None" in answer


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_ends_it_once_and_cannot_disturb_the_way_down(number: signal.Signals) -> None:
    steps: list[str] = []
    before = signal.getsignal(number)
    with stopped_by_signals():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), number)
            steps.append("stopped in order")
    assert steps == ["stopped in order"]
    assert signal.getsignal(number) is before


def test_work_beside_the_suite_gives_its_result_or_its_error(suite: Suite) -> None:
    assert keep_while(suite, lambda: "worked") == "worked"

    def fail() -> None:
        raise RuntimeError("no such bank")

    with pytest.raises(RuntimeError, match="no such bank"):
        keep_while(suite, fail)


def test_a_program_beside_the_suite_gives_its_exit_code(suite: Suite) -> None:
    assert run_beside(suite, [sys.executable, "-c", "raise SystemExit(3)"]) == 3


class StoppedSuite(Suite):
    """Somebody stops it once the file is there."""

    def watch(self) -> None:
        if (self.folder.root / "running").exists():
            raise Stopped


def test_a_program_beside_the_suite_ends_with_it(tmp_path: Path) -> None:
    program = (
        f"import time, pathlib; pathlib.Path({str(tmp_path)!r}, 'running').touch(); time.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(Stopped):
        run_beside(StoppedSuite(DataFolder(tmp_path), []), [sys.executable, "-c", program])
    assert time.monotonic() - began < 30

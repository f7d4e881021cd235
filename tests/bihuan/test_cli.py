"""The command line speaks to people."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bihuan.cli import app
from bihuan.data_folder import DataFolder
from tests.bihuan.fake_gateway import serving

COMMANDS = (
    *("up", "demo", "import", "score", "token", "rebuild", "doctor"),
    *("backup", "restore", "new-epoch"),
)


@pytest.fixture
def gateway_url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def data(tmp_path: Path) -> str:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return str(folder.root)


def run(*arguments: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, list(arguments))
    return ran.exit_code, ran.output


def test_help_lists_every_command_and_each_has_help() -> None:
    code, said = run("--help")
    assert code == 0
    for command in COMMANDS:
        assert command in said
        assert run(command, "--help")[0] == 0


def test_token_prints_nothing_but_the_token(gateway_url: str, data: str) -> None:
    code, said = run("token", "--gateway", gateway_url, "--data", data, "--customer", "C1")
    assert (code, said) == (0, "token of C1\n")


def test_score_follows_its_run_to_the_end(gateway_url: str, data: str) -> None:
    code, said = run("score", "--gateway", gateway_url, "--data", data)
    assert code == 0
    assert "4 of 10 customers changed" in said


def test_rebuild_names_the_service_and_the_source(gateway_url: str, data: str) -> None:
    arguments = ("--source", "profile", "--gateway", gateway_url, "--data", data)
    code, said = run("rebuild", "segment", *arguments)
    assert code == 0
    assert "2 readers of segment begin again" in said
    assert run("rebuild", "nonsense")[0] == 2


def test_a_refusal_is_told_in_one_sentence(gateway_url: str, data: str) -> None:
    code, said = run("rebuild", "profile", "--gateway", gateway_url, "--data", data)
    assert code == 1
    assert "404 unknown_path: No such operation" in " ".join(said.split())
    assert "Traceback" not in said


def test_a_gateway_that_is_not_there_and_a_client_nobody_knows_are_told(data: str) -> None:
    code, said = run("token", "--gateway", "http://127.0.0.1:9", "--data", data)
    assert code == 1
    assert "does not answer" in " ".join(said.split())
    code, said = run("token", "--client", "stranger", "--data", data)
    assert code == 1
    assert "stranger" in said

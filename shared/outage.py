"""When the database is at fault and not what was asked of it: gone, starting, full, in a knot."""

import asyncpg


def is_outage(error: BaseException) -> bool:
    """Tell whether to try the same again: the trouble lies in the surroundings, and passes."""
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # a wrong value is the asker's own fault
    return isinstance(
        error,
        OSError
        | asyncpg.InternalClientError  # the driver, surprised by a connection that broke
        | asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.InsufficientResourcesError
        | asyncpg.TransactionRollbackError
        | asyncpg.IdleInTransactionSessionTimeoutError
        | asyncpg.LockNotAvailableError,
    )

import asyncpg


async def allows_profiling(connection: asyncpg.Connection, customer_id: str) -> bool:
    """Tell whether a customer, a survivor, allows profiling."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT FROM consent WHERE customer_id = $1
               AND (purpose, channel, state) = ('profiling', 'all', 'granted'))""",
            customer_id,
        )
    )

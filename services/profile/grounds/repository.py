from datetime import datetime

import asyncpg

from services.profile.purposes.repository import HAS_LAPSED

_ALLOWS = f"""
SELECT EXISTS (SELECT FROM consent AS c WHERE customer_id = $1
    AND (purpose, channel, state) = ('profiling', 'all', 'granted')
    AND NOT {HAS_LAPSED.format(purpose="c.purpose", at="c.at", now="$2")})
"""  # noqa: S608 - our own words


async def allows_profiling(connection: asyncpg.Connection, customer_id: str, now: datetime) -> bool:
    """Tell whether a customer, a survivor, allows profiling."""
    return bool(await connection.fetchval(_ALLOWS, customer_id, now))

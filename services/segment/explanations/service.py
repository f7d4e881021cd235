import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.customers import repository as customers
from services.segment.customers.domain import Scope
from services.segment.explanations.domain import Explainer, Explanation
from services.segment.plans import repository as plans
from services.segment.scoring.service.online import Evaluators
from shared.database import Database, raw_connection


class Explainers:
    """The explainer of the rules and cuts now in use; compiled again when they change."""

    def __init__(self, database: Database) -> None:
        self._evaluators = Evaluators(database)
        self._current: Explainer | None = None

    async def explain(
        self, session: AsyncSession, customer_id: str, *, scope: Scope
    ) -> Explanation:
        """Why a customer in scope has the points and levels they have."""
        state = await customers.get_state(session, customer_id, as_of=None, scope=scope)
        connection = await raw_connection(session)
        evaluator, _ = await self._evaluators.current(connection)
        if self._current is None or self._current.evaluator is not evaluator:
            self._current = await anyio.to_thread.run_sync(Explainer, evaluator, plans.get())
        [known] = await customers.list_known(connection, [state.customer_id])
        return self._current.explain(known)

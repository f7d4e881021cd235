"""Operations without what FastAPI does around one: for the page-load path."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Operation = Callable[[Request], Awaitable[Response]]


class PlainRoute(Route):
    """One operation as plain ASGI; `app.state` as usual.

    Errors leave by the handlers of the application, and it is counted under its path.
    """

    def __init__(self, path: str, operation: Operation, *, method: str) -> None:
        super().__init__(path, _Plain(self, operation), methods=[method])


class _Plain:
    """To starlette a function would be an endpoint to wrap; this is an application."""

    def __init__(self, route: PlainRoute, operation: Operation) -> None:
        self._route = route
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self._route
        response = await self._operation(Request(scope, receive))
        await response(scope, receive, send)

"""The door: plain ASGI in front of everything, the gateway's own pages included."""

import time
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.door import incoming as head
from gateway.door.admission import Admission
from gateway.door.body import ClientGone, drain
from gateway.door.incoming import Incoming
from gateway.door.refusals import Fault, ServiceUnavailable, respond
from gateway.door.routes import OWN, Operation, RouteTable
from gateway.door.upstream import AnswerCut, Upstream
from shared import metrics, trace
from shared.errors import DomainError, TooLarge
from shared.logging import log


class Door:
    """Finds the owner of each request, checks who sends it, and passes it on.

    Paths outside `/v1/` belong to the gateway itself; `/v1/` by the route table.
    """

    def __init__(
        self, own: FastAPI, *, routes: RouteTable, admission: Admission, upstream: Upstream
    ) -> None:
        self.own = own
        self._routes = routes
        self._admission = admission
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "HTTP only"})
        elif scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.own(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        service, template = OWN, "unmatched"
        incoming = head.read(scope)
        trace.bind(incoming.traceparent)
        try:
            operation = self._routes.find(incoming.method, incoming.path)
            service, template = operation.service, operation.template
            await self._admit(operation, incoming)
            if service == OWN:
                await self.own(_continued(scope, incoming), receive, send)
                return  # the kit's own middleware has counted it
            status = await self._forward(operation, incoming, receive, send)
        except DomainError as refusal:
            status = await _refuse(refusal, scope, receive, send)
        except (ClientGone, AnswerCut):
            return  # the server closes the connection, so that nobody takes a part for the whole
        except Exception as error:  # the outermost edge: nothing else would answer by a problem
            log.error("unhandled_error", exc_info=error, method=incoming.method, route=template)
            status = await _refuse(Fault(), scope, receive, send)
        seconds = time.perf_counter() - started
        metrics.count(service, incoming.method, template, status, seconds=seconds)

    async def _forward(
        self, operation: Operation, incoming: Incoming, receive: Receive, send: Send
    ) -> int:
        """Pass a request on; what its service has left with us answers where it does not."""
        try:
            return await self._upstream.forward(operation, incoming, receive, send)
        except ServiceUnavailable:
            answer = operation.stand_in(incoming.path)
            if answer is None:
                raise
        await Response(answer, media_type="application/json")({"type": "http"}, receive, send)
        return HTTPStatus.OK

    def stop(self) -> None:
        """Let open polls answer now: the gateway is told to end."""
        self._upstream.stop()

    async def _admit(self, operation: Operation, incoming: Incoming) -> None:
        if not operation.is_open:
            incoming.headers["authorization"] = await self._admission.admit(incoming)


def _continued(scope: Scope, incoming: Incoming) -> Scope:
    """The request as the gateway's own operations see it: checked token, continued trace."""
    headers = [(name.lower().encode(), value.encode()) for name, value in incoming.headers.items()]
    if incoming.length is not None:
        headers.append((b"content-length", str(incoming.length).encode()))
    return {**scope, "headers": headers}


async def _refuse(refusal: DomainError, scope: Scope, receive: Receive, send: Send) -> int:
    response = respond(refusal, scope["path"])
    if not isinstance(refusal, TooLarge):
        await response(scope, receive, send)
        return response.status_code
    response.headers["connection"] = "close"

    async def send_before_draining(message: Message) -> None:
        is_body = message["type"] == "http.response.body"
        await send({**message, "more_body": True} if is_body else message)

    await response(scope, receive, send_before_draining)
    await drain(receive)
    await send({"type": "http.response.body", "body": b""})
    return response.status_code

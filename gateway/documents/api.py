"""The API pages: they need no network but the gateway (statement A15)."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from shared.errors import NotFound

router = APIRouter(include_in_schema=False)

CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon.png": "image/png",
}
_PAGE = """<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bihuan 闭环 · API</title>
<link rel="icon" href="/docs/favicon.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="pages"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# validatorUrl: by default the page would show the document to a server on the internet
_START = """window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#pages",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
  persistAuthorization: false,
});
"""


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged document, ready to send, and the scopes in it."""

    body: bytes
    scopes: list[str]


def _merged(request: Request) -> Merged:
    return request.app.state.merged


MergedDocument = Annotated[Merged, Depends(_merged)]


@router.get("/openapi.json")
async def get_document(merged: MergedDocument) -> Response:
    """Answer the API document of the whole suite."""
    return Response(merged.body, media_type="application/json")


@router.get("/docs")
async def get_page() -> HTMLResponse:
    """Answer the API page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@router.get("/docs/start.js")
async def get_start() -> Response:
    """Answer the page's own script; an inline one would need a weaker policy."""
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{name}")
async def get_asset(name: str) -> Response:
    """Answer a file of Swagger UI."""
    if name not in _ASSETS:
        raise NotFound(f"No file {name}")
    return Response(_read(name), media_type=_ASSETS[name], headers={"Cache-Control": "max-age=600"})


def _read(name: str) -> Any:
    return files("fastapi_offline").joinpath("static", name).read_bytes()

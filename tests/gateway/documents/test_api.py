"""A15: the API pages work with no network but the gateway itself."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from fastapi.openapi.models import OpenAPI

from tests.gateway.conftest import Suite

pytestmark = pytest.mark.anyio

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)


class _Resources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.inline_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.urls += [url for name in ("src", "href") if (url := named.get(name))]
        self.inline_scripts += tag == "script" and "src" not in named


async def test_a15_every_resource_of_the_page_comes_from_the_gateway(suite: Suite) -> None:
    page = await suite.http.get("/docs")
    resources = _Resources()
    resources.feed(page.text)

    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert resources.inline_scripts == 0
    assert len(resources.urls) == 4
    for url in resources.urls:
        assert url.startswith("/docs/")
        asset = await suite.http.get(url)
        assert asset.status_code == 200
        assert asset.content


async def test_a15_neither_style_nor_script_fetches_from_elsewhere(suite: Suite) -> None:
    start = (await suite.http.get("/docs/start.js")).text
    style = (await suite.http.get("/docs/swagger-ui.css")).text

    assert "validatorUrl: null" in start
    assert not re.search(r"https?://", start)
    assert not re.search(r"url\((?!\s*['\"]?data:)", style)
    assert "@import" not in style


async def test_no_other_file_is_served_beside_the_page(suite: Suite) -> None:
    for path in ("/docs/nothing.js", "/docs/..%2F__init__.py", "/docs/redoc.standalone.js"):
        assert (await suite.http.get(path)).status_code == 404


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
async def test_a15_a_browser_shows_the_page(suite: Suite, tmp_path: Path) -> None:
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-quic",
        f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--dump-dom", f"{str(suite.http.base_url).rstrip('/')}/docs",
    ]  # fmt: skip
    shown = await anyio.to_thread.run_sync(
        lambda: subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    )

    for service in ("gateway", "profile"):
        assert f'id="operations-tag-{service}"' in shown.stdout


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


async def test_the_merged_document_is_valid_and_whole(suite: Suite) -> None:
    document = (await suite.http.get("/openapi.json")).json()

    OpenAPI.model_validate(document)
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
    ids = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
    ]
    assert len(ids) == len(set(ids))
    assert {"/v1/things/{thing_id}", "/v1/me", "/v1/clock", "/oauth/token"} <= set(
        document["paths"]
    )
    assert "GatewayProblem" in document["components"]["schemas"]
    assert list(document["components"]["securitySchemes"]) == ["bihuan"]

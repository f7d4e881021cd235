"""What the documents name is there."""

import re
from itertools import chain

import pytest

from shared.paths import ROOT

_FILE = re.compile(r"`([\w./-]+\.(?:py|yaml|md|sh))`")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
PAGES = sorted(chain([ROOT / "README.md"], (ROOT / "docs").rglob("*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_link_in_a_page_leads_somewhere(page) -> None:
    text = page.read_text()
    rooms = [ROOT / room for room in ("gateway", "services", "shared", "bihuan", "bench", "tests")]
    files = [str(path) for room in rooms for path in room.rglob("*.py")]
    named = {name for name in _FILE.findall(text) if not (ROOT / name).exists()}

    assert [n for n in named if not any(file.endswith(f"/{n}") for file in files)] == []
    assert [link for link in _LINK.findall(text) if not (page.parent / link).exists()] == []

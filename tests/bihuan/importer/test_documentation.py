"""The worked example of docs/MAPPINGS.md does what the page says."""

import re
from pathlib import Path

import polars as pl
import yaml

from bihuan.importer.mapping import Mapping, parse_mapping
from bihuan.importer.sources import Sources
from bihuan.importer.translate import translate
from shared.paths import ROOT

PAGE = (ROOT / "docs" / "MAPPINGS.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def _example(tmp_path: Path) -> tuple[Mapping, Sources]:
    texts = [text for _, text in BLOCKS]
    people = next(text for text in texts if text.startswith("客户号"))
    moves = next(text for text in texts if text.startswith("no;cust"))
    (tmp_path / "people.csv").write_bytes(people.encode("gb18030"))
    (tmp_path / "moves.csv").write_text(moves)
    mapping = parse_mapping(yaml.load(_mapping_text(), Loader=yaml.BaseLoader))
    return mapping, Sources(mapping, tmp_path)


def _mapping_text() -> str:
    return next(text for kind, text in BLOCKS if kind == "yaml" and text.startswith("source:"))


def test_the_example_sets_aside_what_the_page_says(tmp_path: Path) -> None:
    mapping, sources = _example(tmp_path)
    rejects = translate(mapping, sources).rejects
    paths = {name: spec.path for name, spec in mapping.files.items()}
    told = "".join(f"{paths[f]},{line},{reason}\n" for f, line, reason in sorted(rejects.rows()))

    assert "file,line,reason\n" + told in [text for _, text in BLOCKS]


def test_the_example_closes_the_day_as_the_page_says(tmp_path: Path) -> None:
    events = translate(*_example(tmp_path)).frames["events"]
    fourth = events.filter(pl.col("event_id").is_in(["move-2", "move-3"])).sort("sequence")

    assert fourth["event_id"].to_list() == ["move-3", "move-2"]
    assert fourth["balance_after"].to_list() == [105_000, 102_000]


def test_the_page_explains_every_key() -> None:
    keys = {
        name
        for definition in [
            Mapping.model_json_schema(),
            *Mapping.model_json_schema()["$defs"].values(),
        ]
        for name in definition["properties"]
    }

    assert {key for key in keys if f"`{key}`" not in PAGE and f"{key}:" not in PAGE} == set()

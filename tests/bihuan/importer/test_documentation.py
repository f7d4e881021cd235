"""The examples of docs/MAPPINGS.md and of examples/ do what their pages say."""

import re
from pathlib import Path

import polars as pl
import yaml
from pydantic import TypeAdapter

from bihuan.importer.mapping import TARGETS, FieldSource, Mapping, load_mapping, parse_mapping
from bihuan.importer.sources import Sources
from bihuan.importer.translate import translate
from shared.paths import CATALOGUE, ROOT

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


def test_the_page_names_every_column_and_every_shipped_word() -> None:
    columns = {name for target in TARGETS.values() for name in target.schema.names}
    categories = yaml.safe_load((CATALOGUE / "categories.yaml").read_text())
    types = yaml.safe_load((CATALOGUE / "event_types.yaml").read_text())
    words = {each["key"] for each in categories} | {each["name"] for each in types}

    assert {name for name in columns | words if f"`{name}`" not in PAGE} == set()


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


def test_each_snippet_of_fields_is_in_the_language() -> None:
    snippets = [
        yaml.load(text, Loader=yaml.BaseLoader)
        for kind, text in BLOCKS
        if kind == "yaml" and not text.startswith(("source:", "join:"))
    ]

    assert len(snippets) >= 7
    for snippet in snippets:
        TypeAdapter(dict[str, FieldSource]).validate_python(snippet)


def test_the_rows_that_the_chinese_example_shows_come_in(tmp_path: Path) -> None:
    folder = ROOT / "examples" / "gb18030"
    page = (folder / "README.md").read_text()
    people, accounts, moves = re.findall(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1:]
    (tmp_path / "客户信息表.csv").write_bytes(people.encode("gb18030"))
    (tmp_path / "存款账户.txt").write_bytes(f"\ufeff{accounts}".encode("gb18030"))
    (tmp_path / "交易明细.csv").write_text(moves)
    mapping = load_mapping(folder / "mapping.yaml")
    done = translate(mapping, Sources(mapping, tmp_path))

    assert done.rejects.is_empty()
    assert {kind: frame.height for kind, frame in done.frames.items()} == {
        "customers": 2,
        "accounts": 2,
        "holdings": 2,
        "events": 1,
    }
    assert done.frames["customers"]["name"].to_list() == ["杨娜", "𠮷𬱖"]

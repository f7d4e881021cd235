import gzip
from pathlib import Path
from typing import Any

import pytest

from bihuan.importer.mapping import MappingRefused, SourceFile
from bihuan.importer.sources import FAULT, LINE, read


def _read(
    folder: Path, content: bytes, *, name: str = "x.csv", **options: Any
) -> list[dict[str, Any]]:
    (folder / name).write_bytes(content)
    return read(SourceFile(path=name, **options), folder / name).to_dicts()


def test_rows_know_their_line_even_after_a_quoted_line_break(tmp_path: Path) -> None:
    rows = _read(tmp_path, b'a,b\n1,"two\nlines"\n\n3,4\n')

    assert [(row["a"], row[LINE]) for row in rows] == [("1", 2), ("3", 5)]
    assert rows[0]["b"] == "two\nlines"


def test_blanks_around_a_value_go_and_empty_values_are_null(tmp_path: Path) -> None:
    assert _read(tmp_path, b"a,b,c\n Credit in cash , ,?\n", empty=["?"])[0] | {LINE: 0} == {
        "a": "Credit in cash",
        "b": None,
        "c": None,
        LINE: 0,
        FAULT: None,
    }


def test_blanks_stay_if_asked_for(tmp_path: Path) -> None:
    assert _read(tmp_path, b"a\n x \n", strip=False)[0]["a"] == " x "


def test_gzip_other_encodings_and_other_delimiters_are_read(tmp_path: Path) -> None:
    content = gzip.compress("名字|城市\n张三|上海\n".encode("gb18030"), mtime=0)
    rows = _read(tmp_path, content, name="x.csv.gz", delimiter="|", encoding="gb18030")

    assert rows[0]["名字"] == "张三"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"  # which writes one by itself
    content = f"{mark}名字\t城市\r\n张三\t上海\r\n".encode(encoding)

    assert _read(tmp_path, content, delimiter="\t", encoding=encoding)[0]["名字"] == "张三"


def test_characters_of_four_bytes_are_read(tmp_path: Path) -> None:
    content = "名字\n𠮷田㐂\n".encode("gb18030")

    assert len("𠮷".encode("gb18030")) == len("㐂".encode("gb18030")) == 4
    assert _read(tmp_path, content, encoding="gb18030")[0]["名字"] == "𠮷田㐂"


def test_full_width_letters_and_digits_become_plain_where_asked_for(tmp_path: Path) -> None:
    content = "号,名\n　Ａ１０，Ａ１\n".replace("，", ",").encode()

    assert _read(tmp_path, content, half_width=["号"])[0] | {LINE: 0} == {
        "号": "A10",
        "名": "Ａ１",
        LINE: 0,
        FAULT: None,
    }


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("名字,城市\n".encode("gb18030"), {}, r"x\.csv: the header .* not utf-8; say the file's"),
        (b"a,b,a\n", {}, "the header names 'a' more than once; give names of your own in columns"),
        (b"a,b\n", {"half_width": ["c"]}, r"x\.csv has no column c"),
        (b'a\n1\n"' + b"x" * 200_000, {}, "line 3: .* is a quote not closed there"),
    ],
)
def test_a_file_whose_columns_cannot_be_told_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(MappingRefused, match=told):
        _read(tmp_path, content, **options)


def test_lines_before_the_header_are_skipped_and_still_counted(tmp_path: Path) -> None:
    assert _read(tmp_path, b"exported today\na,b\n1,2\n", skip_lines=1)[0][LINE] == 3


def test_a_file_without_header_has_its_columns_named(tmp_path: Path) -> None:
    rows = _read(tmp_path, b"1,2\n", header=False, columns=["a", "b"])

    assert (rows[0]["a"], rows[0][LINE]) == ("1", 1)


def test_quotes_may_be_plain_characters(tmp_path: Path) -> None:
    assert _read(tmp_path, b'a,b\n"x,1\n', quote=None)[0]["a"] == '"x'


def test_rows_of_another_width_have_a_fault(tmp_path: Path) -> None:
    faults = [row[FAULT] for row in _read(tmp_path, b"a,b\n1\n1,2\n1,2,3\n")]

    assert faults == ["1 fields, not 2", None, "3 fields, not 2"]


def test_bytes_outside_the_encoding_are_a_fault_of_their_row_alone(tmp_path: Path) -> None:
    rows = _read(tmp_path, "名字\n张三\n".encode("gb18030") + b"\xff\xff\n", encoding="gb18030")

    assert [row[FAULT] for row in rows] == [None, "bytes that are not gb18030 in 名字"]


def test_a_file_with_a_header_alone_is_empty(tmp_path: Path) -> None:
    assert _read(tmp_path, b"a,b\n") == []


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"no gzip", {"name": "x.gz"}),
        (gzip.compress(b"a\n1\n" * 1000, mtime=0)[:-20], {"name": "x.gz"}),
        (b"a\n1\n", {"encoding": "klingon"}),
        (b"a\n1\n", {"encoding": "utf-16"}),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(
    tmp_path: Path, content: bytes, options: dict[str, Any]
) -> None:
    with pytest.raises(MappingRefused, match="cannot be read"):
        _read(tmp_path, content, **options)

"""The formats, and what must be known of a file of text besides."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Invalid, Malformed
from shared.media import ARROW_STREAM, CSV, EXCEL, NDJSON, PARQUET, PLAIN


class Format(StrEnum):
    ARROW = "arrow"
    PARQUET = "parquet"
    CSV = "csv"
    FIXED = "fixed"
    EXCEL = "excel"
    NDJSON = "ndjson"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.ARROW: ARROW_STREAM,
    Format.PARQUET: PARQUET,
    Format.CSV: CSV,
    Format.FIXED: PLAIN,
    Format.EXCEL: EXCEL,
    Format.NDJSON: NDJSON,
}
ENDINGS: Mapping[Format, str] = {
    Format.ARROW: "arrows",
    Format.PARQUET: "parquet",
    Format.CSV: "csv",
    Format.FIXED: "txt",
    Format.EXCEL: "xlsx",
    Format.NDJSON: "ndjson",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHARSETS: Mapping[str, str] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
"""Names of charsets, each with the one it is read as: GBK and GB 2312 are part of GB 18030."""


class UnreadableFile(Malformed):
    code = "unreadable_file"
    title = "The file cannot be read as what it is said to be"


class UnknownCharset(Invalid):
    code = "unknown_charset"
    title = "The charset is none that is read"


class WrongWidths(Invalid):
    code = "wrong_widths"
    title = "The widths of the columns cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a file of text is written; `widths` are bytes by column, of fixed width."""

    charset: str = "utf-8"
    delimiter: str = ","
    widths: tuple[tuple[str, int], ...] = ()
    bom: bool = False


def charset_of(name: str | None) -> str:
    """Return the charset of a name; UTF-8 if none is given, and never a guess.

    Raises:
        UnknownCharset: it is none of these.
    """
    if name is None:
        return "utf-8"
    found = CHARSETS.get(name.strip().strip('"').lower())
    if found is None:
        raise UnknownCharset(f"Charsets are {', '.join(sorted(set(CHARSETS.values())))}")
    return found


def widths_of(text: str | None) -> tuple[tuple[str, int], ...]:
    """Return columns and their widths from `name:bytes,name:bytes`.

    Raises:
        WrongWidths: it is written otherwise, or a column is named twice.
    """
    if not text:
        return ()
    parts = [part.partition(":") for part in text.split(",")]
    if not all(name and width.isascii() and width.isdigit() for name, _, width in parts):
        raise WrongWidths("Write widths as name:bytes,name:bytes")
    widths = tuple((name.strip(), int(width)) for name, _, width in parts)
    if len(dict(widths)) < len(widths) or not all(1 <= width <= 4096 for _, width in widths):
        raise WrongWidths("Name each column once, with 1 to 4096 bytes")
    return widths

"""Query parameters that say how a file is written."""

from typing import Annotated, Literal

from fastapi import Depends, Query

from shared.formats.kinds import Format, Shape, widths_of

Delimiter = Annotated[Literal[",", ";", "|", "tab"], Query(description="Between the fields of CSV")]
Widths = Annotated[
    str | None,
    Query(
        max_length=4000,
        description="Of fixed width, `name:bytes,name:bytes`: columns in order, in bytes of the "
        "charset (a Chinese character has two in GB 18030, three in UTF-8)",
    ),
]


def _shape(
    delimiter: Delimiter = ",",
    charset: Annotated[
        Literal["utf-8", "gb18030"], Query(description="Of CSV, fixed width")
    ] = "utf-8",
    *,
    bom: Annotated[
        bool, Query(description="Begin CSV in UTF-8 with the mark by which Excel knows it")
    ] = False,
    widths: Widths = None,
) -> Shape:
    return Shape(
        charset=charset,
        delimiter="\t" if delimiter == "tab" else delimiter,
        widths=widths_of(widths),
        bom=bom,
    )


ExportFormat = Annotated[
    Format,
    Query(
        alias="format",
        description="Money is exact and days and moments are ISO 8601 in all of them. In CSV and "
        "Excel a text that begins with one of `= + - @ '`, tab or return has a `'` before it, so "
        "that it is no formula; imports take it off again",
    ),
]
ExportShape = Annotated[Shape, Depends(_shape)]

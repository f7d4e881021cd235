"""Excel workbooks, read and written row by row; formulas are read as the values they had."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from shared.errors import TooLarge
from shared.formats.kinds import UnreadableFile

ROWS_A_SHEET = 1_048_576
LONGEST_CELL = 32_767
MOST_SHARED_BYTES = 2**27  # of the texts that cells share: they alone are held in memory
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BROKEN = (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, SyntaxError)


def sheets(file: IO[bytes]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield row number and values of the rows of all sheets; further sheets repeat the header.

    Raises:
        UnreadableFile: it is no workbook, or a sheet has another header than the first.
        TooLarge: its shared texts take more than `MOST_SHARED_BYTES` unpacked.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            others = [each for each in packed.infolist() if "worksheets/" not in each.filename]
            if sum(each.file_size for each in others) > MOST_SHARED_BYTES:
                raise TooLarge("The workbook's texts are too many; send it in parts, or as CSV")
        book = load_workbook(file, read_only=True, data_only=True)
        header: tuple[Any, ...] | None = None
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = enumerate(sheet.iter_rows(values_only=True), 1)
            first = next(rows, None)
            if first is None or not any(first[1]):
                continue
            if header is None:
                header = first[1]
                yield first
            elif first[1] != header:
                raise UnreadableFile("A sheet has another header than the first")
            yield from rows
    except _BROKEN as error:
        raise UnreadableFile("Send an Excel workbook (.xlsx) with the columns in row 1") from error


class Book:
    """A workbook that is written row by row; a full sheet is followed by another."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._book = Workbook(write_only=True)
        self._add_sheet()

    def _add_sheet(self) -> None:
        self._sheet: Any = self._book.create_sheet()
        self._sheet.append(list(self._names))
        self._rows = 1

    def append(self, values: Sequence[str | None]) -> None:
        """Add a row of texts."""
        if self._rows == ROWS_A_SHEET:
            self._add_sheet()
        self._sheet.append([None if value is None else self._cell(value) for value in values])
        self._rows += 1

    def _cell(self, value: str) -> Any:
        """Return a cell that is a text whatever it begins with, as far as Excel can hold it."""
        text = _NOT_IN_XML.sub("\ufffd", value)
        if len(text) > LONGEST_CELL:
            text = f"[{len(text)} characters: more than Excel holds]"
        cell = WriteOnlyCell(self._sheet, text)
        cell.data_type = "s"
        return cell

    def save(self, file: IO[bytes]) -> None:
        self._book.save(file)

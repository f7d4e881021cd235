"""Writing tables in each format, part by part: what was written is handed on at once.

Excel's format ends with its list of contents, so that a workbook waits on disk until its end.
"""

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from shared.formats.kinds import Format, Shape


class Writer(Protocol):
    """Writes tables of one schema; each call returns what may be sent on."""

    def write(self, table: pa.Table) -> bytes: ...

    def end(self) -> Iterator[bytes]: ...


def writer_of(kind: Format, schema: pa.Schema, shape: Shape) -> Writer:
    """Return a writer of tables of this schema."""
    if kind is Format.ARROW:
        return _Columns(schema)
    if kind is Format.PARQUET:
        return _Columns(schema, parquet=True)
    from shared.formats.text_writing import WRITERS  # noqa: PLC0415  30 MB that few need

    return WRITERS[kind](schema, shape)


class _Sink:
    """A file that hands on what was written."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Keep nothing back."""

    def close(self) -> None:
        """Hold nothing open."""

    def drain(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class _Columns:
    """Arrow or Parquet."""

    def __init__(self, schema: pa.Schema, *, parquet: bool = False) -> None:
        self._sink = _Sink()
        if parquet:
            import pyarrow.parquet as pq  # noqa: PLC0415  few need it

            self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")
        else:
            self._writer = pa.ipc.new_stream(self._sink, schema)

    def write(self, table: pa.Table) -> bytes:
        self._writer.write_table(table)
        return self._sink.drain()

    def end(self) -> Iterator[bytes]:
        self._writer.close()
        yield self._sink.drain()

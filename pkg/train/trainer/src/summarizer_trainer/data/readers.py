"""Reads the rows of a file, of whatever format, with the place of each for messages."""

import csv
import gzip
import io
import json
import pathlib
import sys
import zlib
from collections.abc import Iterator
from typing import IO, Any, cast

from ..errors import RefusedError, one_line
from .files import suffix

Row = dict[str, Any]
_ROWS_AT_ONCE = 1024
# A cell may be a whole conversation; the module's own limit is 128 KiB.
csv.field_size_limit(sys.maxsize)


def rows(path: pathlib.Path) -> Iterator[tuple[str, Row]]:
    """Yields each row with its place, such as train.jsonl:3; raises RefusedError for what cannot be read."""
    kind = suffix(path.name)
    if kind == ".parquet":
        yield from _parquet(path)
        return
    read = {".jsonl": _lines, ".json": _document, ".csv": _table, ".tsv": _table}[kind]
    try:
        with _open(path) as file:
            yield from read(path.name, file)
    except (EOFError, zlib.error, OSError) as error:
        raise RefusedError(f"{path.name} cannot be read: {one_line(error)}") from error


def _open(path: pathlib.Path) -> IO[bytes]:
    if path.name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _lines(name: str, file: IO[bytes]) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(file, 1):
        text = _decode(line, f"{name}:{number}", first=number == 1)
        if text.strip():
            yield f"{name}:{number}", _object(_parse(text, f"{name}:{number}"), f"{name}:{number}")


def _document(name: str, file: IO[bytes]) -> Iterator[tuple[str, Row]]:
    """An array of rows; many files that are called .json have a row a line instead."""
    content = file.read()
    if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        yield from _lines(name, io.BytesIO(content))
        return
    for number, row in enumerate(_parse(_decode(content, name, first=True), name), 1):
        yield f"{name}, row {number}", _object(row, f"{name}, row {number}")


def _table(name: str, file: IO[bytes]) -> Iterator[tuple[str, Row]]:
    delimiter = "\t" if name.lower().removesuffix(".gz").endswith(".tsv") else ","
    lines = (_decode(line, f"{name}:{number}", first=number == 1) for number, line in enumerate(file, 1))
    table = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            raise RefusedError(f"{name}:{table.line_num} is no line of a table: {error}") from error
        place = f"{name}:{table.line_num}"
        if header is None:
            header = cells
        elif len(cells) > len(header):
            raise RefusedError(
                f"{place} has {len(cells)} fields and the header {len(header)}", "put texts with commas into quotes"
            )
        elif cells:
            yield place, dict(zip(header, [*cells, *[None] * (len(header) - len(cells))], strict=True))


def _parquet(path: pathlib.Path) -> Iterator[tuple[str, Row]]:
    import pyarrow
    import pyarrow.parquet

    try:
        number = 0
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path.name}, row {number}", row
    except (pyarrow.ArrowException, OSError) as error:
        raise RefusedError(f"{path.name} is no Parquet file that can be read: {one_line(error)}") from error


def _decode(data: bytes, place: str, first: bool) -> str:
    try:
        return data.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"{place} is not UTF-8: {error.reason} at byte {error.start + 1}") from error


def _parse(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{place} is no JSON: {one_line(error)}") from error


def _object(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise RefusedError(f"{place} is no JSON object with columns, it is {str(value)[:60]!r}")
    return value

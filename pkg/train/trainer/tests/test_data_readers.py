"""Rows of files in all formats, and where a broken one is broken."""

import gzip
import json
import pathlib
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from summarizer_trainer.data import readers
from summarizer_trainer.errors import RefusedError

ROWS = [
    {"id": "1", "dialogue": 'A: hi,\nB: "yo" 😀', "summary": "They greet."},
    {"id": "2", "dialogue": "C: one", "summary": "C counts."},
]


def read(path: pathlib.Path) -> list[dict[str, Any]]:
    return [row for _, row in readers.rows(path)]


def as_csv(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    return "".join(
        delimiter.join(cell(c) for c in line) + "\r\n" for line in [list(rows[0]), *(r.values() for r in rows)]
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.jsonl", "\n\n".join(json.dumps(row) for row in ROWS)),
        ("train.jsonl", "\ufeff" + "\r\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)),
        ("train.json", json.dumps(ROWS, indent=2)),
        ("train.json", "\n".join(json.dumps(row) for row in ROWS)),
        ("train.csv", as_csv(ROWS)),
        ("train.csv", "\ufeff" + as_csv(ROWS)),
        ("train.tsv", as_csv(ROWS, "\t")),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_formats(tmp_path: pathlib.Path, name: str, content: str, packed: bool) -> None:
    path = tmp_path / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    assert read(path) == ROWS


def test_parquet(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "train.parquet"
    many = [{**row, "messages": [{"role": "user", "content": "a"}]} for row in ROWS * 2000]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(many), path)
    assert read(path) == many
    assert [place for place, _ in readers.rows(path)][-1] == "train.parquet, row 4000"


def test_cells_are_as_long_as_they_are(tmp_path: pathlib.Path) -> None:
    long = "A: hello\n" * 100_000
    path = tmp_path / "train.csv"
    path.write_text(as_csv([{"dialogue": long, "summary": "Long."}]), newline="")
    assert read(path) == [{"dialogue": long, "summary": "Long."}]


def test_a_short_line_of_a_table_has_nothing_in_the_last_columns(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("dialogue,summary\nA: hi\n\n")
    assert read(path) == [{"dialogue": "A: hi", "summary": None}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.jsonl", b'{"a": 1}\n{"a": \n', r"train.jsonl:2 is no JSON"),
        ("train.jsonl", b'{"a": 1}\n\n{"a": "\xff"}\n', r"train.jsonl:3 is not UTF-8: invalid start byte at byte 8"),
        ("train.jsonl", '{"a": 1}'.encode("utf-16"), r"train.jsonl:1 is not UTF-8"),
        ("train.jsonl", b"[1]\n", r"train.jsonl:1 is no JSON object with columns, it is '\[1\]'"),
        ("train.jsonl", b"[" * 100_000, r"train.jsonl:1 is no JSON"),
        ("train.jsonl", b'{"a": ' + b"1" * 5000 + b"}", r"train.jsonl:1 is no JSON"),
        ("train.json", b'[{"a": 1}, 3]', r"train.json, row 2 is no JSON object"),
        ("train.json", b'[{"a": 1}', r"train.json is no JSON"),
        ("train.json", b'{"data": [\n1]}', r"train.json:1 is no JSON"),
        ("train.csv", b"a,b\n1,2\n1,2,3\n", r"train.csv:3 has 3 fields and the header 2"),
        ("train.csv", b'a,b\n"1"x,2\n', r"train.csv:2 is no line of a table"),
        ("train.csv", b'a,b\n"1,2\n', r"train.csv:2 is no line of a table: unexpected end"),
        ("train.csv", b"a,b\n1,\xff\n", r"train.csv:2 is not UTF-8"),
        ("train.jsonl.gz", b"no gzip", r"train.jsonl.gz cannot be read: Not a gzipped file"),
        ("train.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 999)[:-20], r"train.jsonl.gz cannot be read"),
        ("train.parquet", b"PAR1 or not", r"train.parquet is no Parquet file that can be read"),
    ],
)
def test_broken_files_are_refused_with_the_place(
    tmp_path: pathlib.Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RefusedError, match=message):
        read(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["f.jsonl", "f.json", "f.csv", "f.tsv", "f.parquet", "f.jsonl.gz"]),
    st.binary(max_size=200) | st.text('{}[]",:\n\r\t 1ae\\u0d8\ufeff', max_size=60).map(str.encode),
    st.booleans(),
)
def test_any_bytes_are_rows_or_refused(tmp_path: pathlib.Path, name: str, content: bytes, packed: bool) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if packed and name.endswith(".gz") else content)
    try:
        found = read(path)
    except RefusedError as refused:
        assert name in str(refused)
        return
    assert all(isinstance(row, dict) for row in found)

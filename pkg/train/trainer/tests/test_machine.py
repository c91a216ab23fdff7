"""What a container may use is read from its control groups."""

import os
import pathlib

import pytest

from summarizer_trainer import machine


def groups(folder: pathlib.Path, files: dict[str, str]) -> pathlib.Path:
    """A folder that looks like /sys/fs/cgroup."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text + "\n")
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 4),
        ({"cpu.max": "max 100000"}, 4),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "5000 100000"}, 1),
        ({"cpu.max": "6400000 100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4),
    ],
)
def test_cores(files: dict[str, str], expected: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    assert machine.cores(groups(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"memory.max": "max"}, None),
        ({"memory.max": str(3 * 2**29)}, 1.5),
        ({"memory/memory.limit_in_bytes": str(2**33)}, 8.0),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
    ],
)
def test_memory(files: dict[str, str], expected: float | None, tmp_path: pathlib.Path) -> None:
    assert machine.memory_limit_gib(groups(tmp_path, files)) == expected

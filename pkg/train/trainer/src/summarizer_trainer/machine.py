"""What the container may use of the machine: its control groups say it, and not the machine's own figures."""

import math
import os
import pathlib

_GROUPS = pathlib.Path("/sys/fs/cgroup")


def cores(groups: pathlib.Path = _GROUPS) -> int:
    """How many cores this process may keep busy, at least 1."""
    allowed = len(os.sched_getaffinity(0))
    quota, period = (_read(groups / "cpu.max") or "max 100000").split()
    if quota == "max":
        # Control groups of version 1; -1 is no limit.
        quota = _read(groups / "cpu/cpu.cfs_quota_us") or "-1"
        period = _read(groups / "cpu/cpu.cfs_period_us") or "100000"
    return max(1, min(allowed, math.ceil(int(quota) / int(period)))) if int(quota) > 0 else allowed


def memory_limit_gib(groups: pathlib.Path = _GROUPS) -> float | None:
    """The memory that the container may take, None without a limit."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _read(groups / name)
        # Version 1 writes no limit as a number near 2^63.
        if limit and limit != "max" and int(limit) < 2**60:
            return int(limit) / 2**30
    return None


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""

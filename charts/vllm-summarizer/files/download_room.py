"""Room on the cache volume for what is missing.

A claim keeps what was served before. When a new revision or model does not fit, what no pod
has used for longest makes way: a server has its weights in memory, but needs the files again
when it restarts.
"""

import glob
import math
import os
import re
import shutil
import socket
import time
from contextlib import suppress

from download_failures import MORE_ROOM, Failure
from download_progress import GIB, bytes_below, say
from download_store import MARKER, lock_now

# A pod marks what it found complete, and its server then reads it. The chart allows 300 s and
# 20 s a GiB for that, so that this is enough for 75 GiB, about what one GPU holds.
IN_USE_SECONDS = 30 * 60
# File systems may free the room a while after the removal; meanwhile nothing else is removed.
SETTLE_SECONDS = 10
REMOVED = ".removed"
# Names that the downloads gave; anything else on the volume is somebody's own.
COMMIT = re.compile("[0-9a-f]{40}")
UNFINISHED = re.compile(r"[0-9a-f]{40}(\..+)?\.(part|removed)")


class Old:
    """A directory that the plan does not name."""

    def __init__(self, path):
        self.path, self.home = path, os.path.dirname(path)
        # A removal that was interrupted can only be ended.
        self.used = 0 if path.endswith(REMOVED) else last_use(path)
        self.bytes = bytes_below(path)
        commit = os.path.basename(path)
        self.name = f"{os.path.basename(self.home).replace('--', '/', 1)} at {commit[:12]}"
        self.finished = bool(COMMIT.fullmatch(commit))

    def describe(self):
        minutes = int(time.time() - self.used) // 60
        ago = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
        return f"{self.name}, last used {ago} ago" if self.finished else f"{self.name} (unfinished)"


def last_use(directory):
    """When a pod looked at a complete directory, or wrote into another, in seconds since 1970."""
    with suppress(FileNotFoundError):
        return os.path.getmtime(os.path.join(directory, MARKER))
    latest = os.path.getmtime(directory)
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):  # renamed meanwhile
                latest = max(latest, os.lstat(os.path.join(folder, name)).st_mtime)
    return latest


def find_old(planned, root):
    """All directories of downloads that are not among the planned ones, least recently used first."""
    found = []
    for path in glob.glob(os.path.join(glob.escape(root), "*", "*")):
        name = os.path.basename(path)
        ours = COMMIT.fullmatch(name) and os.path.isfile(os.path.join(path, MARKER)) or UNFINISHED.fullmatch(name)
        if ours and path not in planned and os.path.isdir(path) and not os.path.islink(path):
            with suppress(OSError):  # removed by another pod
                found.append(Old(path))
    return sorted(found, key=lambda old: old.used)


def remove(old, planned):
    """Removes a directory. False: a pod came to use it. BlockingIOError: a pod is at its repository."""
    with open(os.path.join(old.home, ".lock"), "w") as lock:
        lock_now(lock)  # without locks on the volume the time of the last use must do
        away = old.path
        if not away.endswith(REMOVED):
            # In one step, so that a pod that looks sees all of it or nothing. It marks before
            # it looks, so that what it saw has a new mark here.
            away = f"{old.path}.{socket.gethostname()}{REMOVED}"
            os.rename(old.path, away)
            if last_use(away) > old.used:
                os.rename(away, old.path)
                return False
        shutil.rmtree(away)
        for link in os.scandir(old.home):
            if link.is_symlink() and link.path not in planned and not os.path.exists(link.path):
                if COMMIT.fullmatch(os.readlink(link.path)):
                    os.remove(link.path)
    return True


def settle(volume, expected):
    """Waits until the volume shows the room that a removal gave."""
    end = time.monotonic() + SETTLE_SECONDS
    while shutil.disk_usage(volume).free < expected and time.monotonic() < end:
        time.sleep(0.1)


def make_room(stores, missing, volume, needed):
    """Removes old directories until the bytes needed are free; returns the bytes that may yet make way."""
    planned = {place for store in stores for place in store.places()}
    every = find_old(planned, os.path.dirname(stores[0].home))
    idle = [old for old in every if old.used < time.time() - IN_USE_SECONDS]
    later = sum(old.bytes for old in every if old not in idle)
    possible = sum(old.bytes for old in idle)
    if shutil.disk_usage(volume).free + possible < needed:
        return later + possible  # removed for nothing, they would only have to be fetched again
    for old in idle:
        free = shutil.disk_usage(volume).free
        if free >= needed:
            break
        about = old.describe()
        try:
            if remove(old, planned):
                reason = f"its room is needed for {missing[0].repo} at {missing[0].commit[:12]}"
                say(f"download: removed {old.bytes / GIB:.1f} GiB, {about}: {reason}")
                settle(volume, min(needed, free + old.bytes))
                continue
            say(f"download: {old.name} stays: another pod has just come to use it")
        except BlockingIOError:
            say(f"download: {old.name} stays: another pod is at work there")
        except FileNotFoundError:
            continue  # another pod made room as well
        except OSError as error:
            say(f"download: {old.name} stays: it cannot be removed: {error}")
            continue
        later += old.bytes
    return later


def check_space(stores, missing, on_claim):
    """Raises Failure when the volume cannot hold what is missing, on a claim after old ones made way."""
    volume = missing[0].home
    while not os.path.isdir(volume):
        volume = os.path.dirname(volume)
    needed = sum(store.total_bytes - store.bytes_there() for store in missing)
    later = 0
    if on_claim and shutil.disk_usage(volume).free < needed:
        later = make_room(stores, missing, volume, needed)
    free = shutil.disk_usage(volume).free
    if free >= needed:
        return
    text = f"{missing[0].repo}: {needed / GIB:.1f} GiB to fetch and {free / GIB:.1f} GiB free on the cache volume"
    if free + later >= needed:
        minutes = IN_USE_SECONDS // 60
        waiting = f"what a pod fetches, or used in the last {minutes} minutes, does not make way yet"
        raise Failure(f"{text}, where {waiting}: wait, or raise cache.persistence.size", permanent=False)
    raise Failure(f"{text}: {MORE_ROOM}")


def check_limit(stores, limit_gib):
    """Raises Failure when all repositories together are more than the pod may keep; limit_gib None: no such limit."""
    total = sum(store.total_bytes or bytes_below(os.path.realpath(store.path)) for store in stores) / GIB
    if limit_gib is not None and total > limit_gib:
        raise Failure(
            f"{stores[0].repo}: {total:.1f} GiB to keep on a cache volume that is limited to {limit_gib} GiB: "
            f"set model.weightsGiB to {math.ceil(total)}"
        )

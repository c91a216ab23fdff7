"""One repository on the cache volume.

    ORG--NAME/COMMIT        complete; appears by one rename
    ORG--NAME/COMMIT.part   being fetched; after an interruption its finished files are kept
                            (COMMIT.POD.part where the volume has no locks)
    ORG--NAME/main          link to a commit, for a revision that is none

Pods that share the volume take turns by a lock on ORG--NAME/.lock, which the kernel drops
with the pod that held it. The time of a complete directory's marker says when a pod last
started with it: download_room.py asks, when the volume is full.
"""

import errno
import fcntl
import json
import os
import re
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.hf_api import RepoFile

from download_failures import Failure, Refused, with_retries
from download_files import choose
from download_progress import EVERY_SECONDS, bytes_below, say

MARKER = ".complete.json"
# Files at once: more only makes the Hub answer 429 sooner.
WORKERS = 4
NO_LOCKS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS)


class Store:
    """A repository at a revision, and its place."""

    def __init__(self, plan, secret):
        self.repo, self.revision, self.ignore = plan["repo"], plan["revision"], plan["ignore"]
        self.path, self.secret = plan["path"], secret
        self.home = os.path.dirname(self.path)
        self.total_bytes = 0

    def look(self):
        """Finds out what is missing. True when something has to be fetched."""
        self.commit = self.revision if re.fullmatch("[0-9a-f]{40}", self.revision) else self._resolve()
        self.final = os.path.join(self.home, self.commit)
        self.part = self.final + ".part"
        self.own_part = f"{self.final}.{socket.gethostname()}.part"
        if self.use():
            self._link()
            say(f"download: {self.repo} at {self.commit[:12]} is there already")
            return False
        self.sizes = choose(self.repo, self._ask(self._list), self.ignore)
        self.total_bytes = sum(self.sizes.values())
        # The list of a gated repository is public; only its files are refused.
        smallest = min(self.sizes, key=self.sizes.get)
        self._ask(lambda: get_hf_file_metadata(hf_hub_url(self.repo, smallest, revision=self.commit)))
        return True

    def places(self):
        """All that this repository may be in, finished or not, and its link."""
        return self.final, self.part, self.own_part, self.path

    def use(self):
        """Whether all is there; notes that a pod starts with it."""
        # Noted first: from then on no other pod removes it. A marker that another user wrote
        # cannot be touched: it then tells when the files were fetched.
        with suppress(OSError):
            os.utime(os.path.join(self.final, MARKER))
        return is_complete(self.final)

    def _ask(self, call, progress=lambda: 0):
        return with_retries(call, self.repo, self.revision, self.secret, progress)

    def _resolve(self):
        """The commit of a branch or tag; when the Hub does not say it, the one that is there."""
        try:
            return self._ask(lambda: HfApi().model_info(self.repo, revision=self.revision).sha)
        except Failure as failure:
            if not is_complete(self.path):
                raise
            commit = os.path.basename(os.path.realpath(self.path))
            say(f"download: {failure}; serving {commit[:12]}, which is there already")
            return commit

    def _list(self):
        tree = HfApi().list_repo_tree(self.repo, recursive=True, revision=self.commit)
        return {entry.path: entry.size for entry in tree if isinstance(entry, RepoFile)}

    def bytes_there(self):
        """Bytes that have arrived."""
        for directory in (self.final, self.part, self.own_part):
            if os.path.isdir(directory):
                return bytes_below(directory)
        return 0

    def fetch(self):
        os.makedirs(self.home, exist_ok=True)
        with open(os.path.join(self.home, ".lock"), "w") as lock:
            if self._lock(lock):
                self._fetch_files()
        self._link()

    def _lock(self, lock):
        """Waits for the lock. False when another pod finished the work meanwhile."""
        waiting = False
        while True:
            try:
                if lock_now(lock):
                    return not is_complete(self.final)
                # No locks on this volume: a directory of our own, and whoever is first wins.
                self.part = self.own_part
                return True
            except BlockingIOError:
                if not waiting:
                    say(f"download: another pod is fetching {self.repo}; waiting for it")
                    waiting = True
                time.sleep(EVERY_SECONDS)

    def _fetch_files(self):
        if os.path.isdir(self.final) and not os.path.isdir(self.part):
            os.rename(self.final, self.part)  # something was lost from it: only that is fetched
        os.makedirs(self.part, exist_ok=True)
        self._drop_leftovers()
        with ThreadPoolExecutor(WORKERS) as pool:
            # The largest first, so that the small ones fill the gaps.
            jobs = [pool.submit(self._fetch_file, path) for path in sorted(self.sizes, key=self.sizes.get, reverse=True)]
            try:
                for job in jobs:
                    job.result()
            except Failure:
                for job in jobs:
                    job.cancel()
                raise
        shutil.rmtree(os.path.join(self.part, ".cache"), ignore_errors=True)
        with open(os.path.join(self.part, MARKER), "w", encoding="utf-8") as file:
            json.dump({"repo": self.repo, "commit": self.commit, "files": self.sizes}, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.rename(self.part, self.final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not is_complete(self.final):
                raise
            shutil.rmtree(self.part)

    def _drop_leftovers(self):
        """Removes what an interrupted run left: huggingface_hub never takes up a file of another process."""
        shutil.rmtree(os.path.join(self.part, ".cache/huggingface/download"), ignore_errors=True)
        for path, size in self.sizes.items():
            file = os.path.join(self.part, path)
            if os.path.exists(file) and os.path.getsize(file) != size:
                os.remove(file)

    def _fetch_file(self, path):
        if os.path.exists(os.path.join(self.part, path)):
            return

        def once():
            file = hf_hub_download(self.repo, path, revision=self.commit, local_dir=self.part)
            if os.path.getsize(file) != self.sizes[path]:
                found = os.path.getsize(file)
                os.remove(file)
                raise Refused(f"{path} arrived with {found} bytes instead of {self.sizes[path]}")

        self._ask(once, self.bytes_there)

    def _link(self):
        """Points the revision's name at its commit, in one step."""
        if os.path.basename(self.path) == self.commit:
            return
        name = f"{self.path}.{socket.gethostname()}"
        if os.path.lexists(name):
            os.remove(name)
        os.symlink(self.commit, name)
        os.replace(name, self.path)


def lock_now(lock):
    """Locks an open file. False: its volume has no locks. BlockingIOError: another pod holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True


def is_complete(directory):
    """Whether a directory holds every file that was noted when it was finished."""
    try:
        with open(os.path.join(directory, MARKER), encoding="utf-8") as file:
            files = json.load(file)["files"]
        return all(os.path.getsize(os.path.join(directory, path)) == size for path, size in files.items())
    except (OSError, ValueError, KeyError):
        return False

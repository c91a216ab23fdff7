"""Tests of files/download_room.py: what makes way on a claim that is full, and what never does."""

import fcntl
import os
import socket
import sys
import tempfile
import time
import unittest

from download_case import SCRIPT, DownloadTest

HOUR = 3600
ROOM = "org/model: 0.0 GiB to fetch and 0.0 GiB free on the cache volume"


def model():
    """A model of 300 kB that is like no other."""
    return {"config.json": "{}", "model.safetensors": os.urandom(300_000)}


class RoomTest(DownloadTest):
    """The cache is a volume of 800 kB, which holds two of the models."""

    def setUp(self):
        super().setUp()
        self.small_volume("800k")

    def marker(self, repo, sha):
        return os.path.join(self.path(repo, sha), ".complete.json")

    def fetch(self, repo="org/model", used_hours_ago=None):
        """Fetches a new revision; its commit."""
        sha = self.hub.add(repo, model())
        self.succeed(self.plan((repo, sha)))
        if used_hours_ago is not None:
            age(self.marker(repo, sha), used_hours_ago)
        return sha

    def write(self, path, size=300_000, used_hours_ago=5, content=None):
        """A file below the home of org/model, whose directory has the age of the file."""
        file = self.path("org/model", path)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as out:
            out.write(content or os.urandom(size))
        age(file, used_hours_ago)
        age(os.path.dirname(file), used_hours_ago)

    def there(self, repo="org/model"):
        return {name for name in os.listdir(self.path(repo, ".")) if not name.startswith(".")}

    def test_oldest_makes_way_and_no_more(self):
        first, second = self.fetch(used_hours_ago=50), self.fetch(used_hours_ago=2)
        third = self.hub.add("org/model", model())
        output = self.succeed(self.plan(("org/model", third)))
        self.assertEqual(self.there(), {second, third})
        self.assertIn(f"download: removed 0.0 GiB, org/model at {first[:12]}, last used 50 h ago: its room is needed for org/model at {third[:12]}", output)
        self.assertEqual(output.count("removed"), 1, output)

    def test_nothing_makes_way_where_there_is_room(self):
        first, second = self.fetch(used_hours_ago=50), self.fetch()
        self.assertEqual(self.there(), {first, second})

    def test_start_of_a_pod_is_a_use(self):
        first = self.fetch(used_hours_ago=50)
        second = self.fetch("org/other", used_hours_ago=2)
        self.assertIn("is there already", self.succeed(self.plan(("org/model", first))))
        # One hour later.
        age(self.marker("org/model", first), 1, at_least=True)
        third = self.fetch()
        self.assertEqual(self.there(), {first, third})
        self.assertNotIn(second, self.there("org/other"))

    def test_just_used_stays(self):
        first, second = self.fetch(), self.fetch(used_hours_ago=0.4)
        plan = self.plan(("org/model", self.hub.add("org/model", model())))
        # Time mends it: the exit code is not the one for good.
        text = ROOM + ", where what a pod fetches, or used in the last 30 minutes, does not make way yet: wait, or raise cache.persistence.size"
        self.fail_with(plan, text, exit_code=1)
        self.assertEqual(self.there(), {first, second})

    def test_nothing_is_removed_in_vain(self):
        first, second = self.fetch(used_hours_ago=50), self.fetch(used_hours_ago=40)
        large = {"config.json": "{}", "model.safetensors": os.urandom(900_000)}
        text = ROOM + ": raise cache.persistence.size, or without a claim model.weightsGiB"
        self.fail_with(self.plan(("org/model", self.hub.add("org/model", large))), text)
        self.assertEqual(self.there(), {first, second})

    def test_emptydir_starts_empty(self):
        first, second = self.fetch(used_hours_ago=50), self.fetch(used_hours_ago=40)
        sha = self.hub.add("org/model", model())
        self.fail_with(self.plan(("org/model", sha), limit_gib=1), ROOM + ": raise")
        self.assertEqual(self.there(), {first, second})

    def test_unfinished_and_dangling_make_way(self):
        self.write(f"{'a' * 40}.part/model.safetensors")
        self.write(f"{'b' * 40}.pod-1.part/model.safetensors")
        os.symlink("c" * 40, self.path("org/model", "old-branch"))
        os.symlink("elsewhere", self.path("org/model", "not-of-ours"))
        self.write("notes/of-the-user", size=1, used_hours_ago=5000)
        sha = self.hub.add("org/model", {**model(), "more.safetensors": os.urandom(300_000)})
        output = self.succeed(self.plan(("org/model", sha)))
        self.assertEqual(self.there(), {sha, "notes", "not-of-ours"})
        self.assertIn("org/model at aaaaaaaaaaaa (unfinished)", output)

    def test_what_was_begun_of_the_planned_stays(self):
        files = {**model(), "more.safetensors": os.urandom(200_000)}
        sha = self.hub.add("org/model", files)
        self.write(f"{sha}.part/model.safetensors", content=files["model.safetensors"], used_hours_ago=60)
        self.fetch("org/other", used_hours_ago=50)
        self.write(f"{'a' * 40}.part/model.safetensors", size=60_000)
        self.succeed(self.plan(("org/model", sha)))
        self.assertEqual(self.there(), {sha, f"{'a' * 40}.part"})
        self.assertEqual(self.hub.gets["model.safetensors"], 1, "that of org/other")

    def test_growing_part_stays(self):
        # Of a pod on a volume without locks.
        self.write(f"{'a' * 40}.pod-1.part/model.safetensors", size=600_000, used_hours_ago=0.1)
        age(os.path.dirname(self.path("org/model", f"{'a' * 40}.pod-1.part/model.safetensors")), 5)
        plan = self.plan(("org/model", self.hub.add("org/model", model())))
        self.fail_with(plan, "wait, or raise", exit_code=1)
        self.assertEqual(self.there(), {f"{'a' * 40}.pod-1.part"})

    def test_interrupted_removal_is_finished(self):
        self.write(f"{'a' * 40}.pod-1.removed/model.safetensors", size=600_000, used_hours_ago=0)
        self.assertEqual(self.there(), {f"{'a' * 40}.pod-1.removed"})
        self.assertEqual({self.fetch()}, self.there())

    def test_repository_of_a_busy_pod_stays(self):
        first = self.fetch("org/busy", used_hours_ago=50)
        second = self.fetch("org/other", used_hours_ago=2)
        sha = self.hub.add("org/model", model())
        with open(self.path("org/busy", ".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            output = self.succeed(self.plan(("org/model", sha)))
            self.assertIn(f"download: org/busy at {first[:12]} stays: another pod is at work there", output)
            self.assertEqual(self.there("org/busy"), {first})
            self.assertNotIn(second, self.there("org/other"))
            larger = self.hub.add("org/model", {**model(), "more.safetensors": os.urandom(100_000)})
            age(self.marker("org/model", sha), 0.1)
            self.fail_with(self.plan(("org/model", larger)), "wait, or raise", exit_code=1)

    def test_planned_stay_also_when_the_hub_does_not_say_them(self):
        first = self.hub.add("org/model", model())
        self.succeed(self.plan(("org/model", "main")))
        age(self.marker("org/model", first), 50)
        second = self.fetch("org/other", used_hours_ago=2)
        adapter = {"adapter_config.json": '{"r": 8}', "adapter_model.safetensors": os.urandom(300_000)}
        plan = self.plan(("org/model", "main"), adapters=[("a", "org/a", self.hub.add("org/a", adapter))])
        del self.hub.repos["org/model"]
        self.assertIn(f"serving {first[:12]}, which is there already", self.succeed(plan))
        self.assertEqual(self.there(), {first, "main"})
        self.assertNotIn(second, self.there("org/other"))

    def test_without_locks(self):
        with open(os.path.join(self.root, "sitecustomize.py"), "w") as file:
            file.write("import errno, fcntl\ndef flock(*_):\n    raise OSError(errno.ENOSYS, 'no locks')\nfcntl.flock = flock\n")
        files = {**model(), "config.json": "{}" * 999}
        sha = self.hub.add("org/model", files)
        own = f"{sha}.{socket.gethostname()}.part"
        self.write(f"{own}/model.safetensors", content=files["model.safetensors"])
        self.write(f"{'b' * 40}.part/model.safetensors", used_hours_ago=9)
        # What this pod began counts and is not fetched again, so that nothing has to go.
        self.succeed(self.plan(("org/model", sha)), PYTHONPATH=self.root)
        self.assertEqual(self.there(), {sha, f"{'b' * 40}.part"})
        self.assertEqual(self.hub.gets["model.safetensors"], 0)
        second = self.hub.add("org/model", model())
        self.succeed(self.plan(("org/model", second)), PYTHONPATH=self.root)
        self.assertEqual(self.there(), {sha, second})


class RaceTest(unittest.TestCase):
    """What no process can be made to hit: another pod starts in the moment of a removal."""

    def test_pod_that_marks_before_the_removal_keeps_its_files(self):
        home = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(home, "a" * 40)
        os.makedirs(path)
        marker = os.path.join(path, ".complete.json")
        open(marker, "w").close()
        age(marker, 50)
        sys.path.insert(0, os.path.dirname(SCRIPT))
        self.addCleanup(sys.path.remove, os.path.dirname(SCRIPT))
        import download_room

        old = download_room.Old(path)
        os.utime(marker)
        self.assertFalse(download_room.remove(old, set()))
        self.assertTrue(os.path.exists(marker))


def age(path, hours, at_least=False):
    """Sets the time of last use back; at_least: unless it is further back."""
    then = time.time() - hours * HOUR
    os.utime(path, times=(then, min(then, os.path.getmtime(path)) if at_least else then))


if __name__ == "__main__":
    unittest.main()

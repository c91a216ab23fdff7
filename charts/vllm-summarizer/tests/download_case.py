"""What the tests of files/download.py share: the script as it runs in the pod, a process, a directory, a Hub over HTTP."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from hub_server import Hub

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "files", "download.py")
MODEL = {"config.json": "{}", "model.safetensors": os.urandom(300_000), "tokenizer.json": "{}"}


class DownloadTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        self.hub = Hub()
        self.addCleanup(self.hub.close)

    def plan(self, *repos, adapters=(), ignore=("consolidated*",), limit_gib=None):
        """Writes a plan as the chart does; a repo is (id, revision)."""
        plan = {"cacheLimitGiB": limit_gib, "repos": [], "adapters": [], "engineConfig": "", "secret": {"secretName": "hf-secret", "secretKey": "hf_api_token"}}
        for repo, revision in repos:
            plan["repos"].append({"repo": repo, "revision": revision, "path": self.path(repo, revision), "ignore": list(ignore)})
        for name, repo, revision in adapters:
            plan["adapters"].append({"name": name, "path": self.path(repo, revision)})
            plan["repos"].append({"repo": repo, "revision": revision, "path": self.path(repo, revision), "ignore": []})
        if adapters:
            plan["engineConfig"] = os.path.join(self.root, "engine.yaml")
        file = os.path.join(self.root, "plan.json")
        with open(file, "w") as out:
            json.dump(plan, out)
        return file

    def path(self, repo, revision):
        return os.path.join(self.root, "cache/repos", repo.replace("/", "--"), revision)

    def small_volume(self, size):
        """Makes the cache a volume of a size, which only root can."""
        if os.geteuid() != 0:
            self.skipTest("mounting a small volume needs root")
        volume = os.path.join(self.root, "cache")
        os.makedirs(volume)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", volume], check=True)
        self.addCleanup(subprocess.run, ["umount", volume], check=True)

    def start(self, plan, token=None, **more):
        env = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        env.update(
            HF_ENDPOINT=self.hub.url,
            HF_HOME=os.path.join(self.root, "hf"),
            HOME=self.root,
            DOWNLOAD_PROGRESS_SECONDS="0.1",
            DOWNLOAD_TRIES="3",
            TERMINATION_LOG=os.path.join(self.root, "termination-log"),
            PYTHONDONTWRITEBYTECODE="1",
        )
        env.update(more)
        if token:
            env["HF_TOKEN"] = token
        return subprocess.Popen([sys.executable, SCRIPT, plan], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run_plan(self, plan, **more):
        process = self.start(plan, **more)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def succeed(self, plan, **more):
        code, output = self.run_plan(plan, **more)
        self.assertEqual(code, 0, output)
        return output

    def fail_with(self, plan, text, exit_code=3, **more):
        """Runs a plan that must fail with a text, in the output and as the termination message."""
        code, output = self.run_plan(plan, **more)
        self.assertEqual(code, exit_code, output)
        last = output.strip().splitlines()[-1]
        self.assertIn(text, last)
        self.assertTrue(last.startswith("download failed: "), last)
        with open(os.path.join(self.root, "termination-log")) as log:
            self.assertEqual(log.read().strip(), last)
        self.assertNotIn("Traceback", output)
        return output

    def files(self, repo, revision):
        found = set()
        path = os.path.realpath(self.path(repo, revision))
        for folder, _, names in os.walk(path):
            found |= {os.path.relpath(os.path.join(folder, name), path) for name in names}
        return found - {".complete.json"}

"""Tests of files/download.py as it runs in the pod: a process, a directory, a Hub over HTTP.

    python -m unittest discover -s charts/vllm-summarizer/tests

needs huggingface_hub; hack/chart.sh unittest makes an environment that has it.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
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


class FetchTest(DownloadTest):
    def test_fetches_and_says_so(self):
        sha = self.hub.add("org/model", {**MODEL, "consolidated.safetensors": b"twice"})
        output = self.succeed(self.plan(("org/model", sha)))
        self.assertEqual(self.files("org/model", sha), set(MODEL))
        with open(os.path.join(self.path("org/model", sha), "model.safetensors"), "rb") as file:
            self.assertEqual(file.read(), MODEL["model.safetensors"])
        self.assertRegex(output, r"(?m)^download: 0\.0 of 0\.0 GiB \(0 %\)$")
        self.assertRegex(output, r"(?m)^download: done in \d+ s$")

    def test_progress_follows_the_bytes(self):
        # huggingface_hub writes 10 MB at a time.
        sha = self.hub.add("org/model", {**MODEL, "model.safetensors": os.urandom(60_000_000)})
        self.hub.bytes_per_second = 60_000_000
        output = self.succeed(self.plan(("org/model", sha)))
        percents = [int(p) for p in re.findall(r"GiB \((\d+) %\)", output)]
        self.assertEqual(percents, sorted(percents))
        self.assertGreater(len([p for p in percents if 0 < p < 100]), 2, output)

    def test_restart_needs_no_hub(self):
        sha = self.hub.add("org/model", MODEL)
        plan = self.plan(("org/model", sha))
        self.succeed(plan)
        self.hub.close()
        self.assertIn("is there already", self.succeed(plan))

    def test_lost_file_is_fetched_alone(self):
        sha = self.hub.add("org/model", MODEL)
        plan = self.plan(("org/model", sha))
        self.succeed(plan)
        os.remove(os.path.join(self.path("org/model", sha), "tokenizer.json"))
        self.succeed(plan)
        self.assertEqual(self.files("org/model", sha), set(MODEL))
        self.assertEqual(self.hub.gets["model.safetensors"], 1)
        self.assertEqual(self.hub.gets["tokenizer.json"], 2)

    def test_branch_follows_the_hub_and_survives_it(self):
        first = self.hub.add("org/model", MODEL)
        plan = self.plan(("org/model", "main"))
        self.succeed(plan)
        self.assertEqual(os.readlink(self.path("org/model", "main")), first)
        second = self.hub.add("org/model", {**MODEL, "config.json": '{"new": 1}'})
        self.succeed(plan)
        self.assertEqual(os.readlink(self.path("org/model", "main")), second)
        self.hub.close()
        output = self.succeed(plan)
        self.assertIn(f"serving {second[:12]}, which is there already", output)

    def test_two_pods_fetch_once(self):
        sha = self.hub.add("org/model", {**MODEL, "model.safetensors": os.urandom(4_000_000)})
        self.hub.bytes_per_second = 1_000_000
        plan = self.plan(("org/model", sha))
        pods = [self.start(plan), self.start(plan)]
        outputs = [pod.communicate(timeout=120)[0] for pod in pods]
        self.assertEqual([pod.returncode for pod in pods], [0, 0], outputs)
        self.assertEqual(self.hub.gets["model.safetensors"], 1)
        self.assertIn("another pod is fetching org/model", "".join(outputs))

    def test_lock_of_a_dead_pod_is_free(self):
        sha = self.hub.add("org/model", MODEL)
        os.makedirs(os.path.dirname(self.path("org/model", sha)))
        with open(os.path.join(os.path.dirname(self.path("org/model", sha)), ".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
        self.succeed(self.plan(("org/model", sha)))

    def test_sigterm_ends_it_and_finished_files_are_kept(self):
        files = {**MODEL, "model-1.safetensors": os.urandom(12_000_000), "model-2.safetensors": os.urandom(60_000_000)}
        sha = self.hub.add("org/model", files)
        self.hub.bytes_per_second = 20_000_000
        plan = self.plan(("org/model", sha))
        process = self.start(plan)
        for line in process.stdout:
            if re.search(r"\(([4-9]\d) %\)", line):
                break
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=5), 143)
        process.stdout.close()
        self.assertEqual(self.hub.gets["model-1.safetensors"], 1)
        self.hub.bytes_per_second = 0
        self.succeed(plan)
        self.assertEqual(self.hub.gets["model-1.safetensors"], 1)
        self.assertEqual(self.files("org/model", sha), set(files))


class ChooseTest(DownloadTest):
    def test_pickle_copy_is_left(self):
        sha = self.hub.add("org/model", {**MODEL, "pytorch_model.bin": b"again"})
        self.succeed(self.plan(("org/model", sha)))
        self.assertEqual(self.files("org/model", sha), set(MODEL))

    def test_only_pickle_is_fetched_and_said(self):
        sha = self.hub.add("org/model", {"config.json": "{}", "pytorch_model.bin": b"weights"})
        output = self.succeed(self.plan(("org/model", sha)))
        self.assertIn("its weights are pickle files", output)
        self.assertIn("pytorch_model.bin", self.files("org/model", sha))

    def test_pattern_never_leaves_no_weights(self):
        sha = self.hub.add("org/model", {"params.json": "{}", "consolidated.safetensors": b"only"})
        output = self.succeed(self.plan(("org/model", sha)))
        self.assertIn("would leave no weights", output)
        self.assertIn("consolidated.safetensors", self.files("org/model", sha))

    def test_no_weights_at_all(self):
        sha = self.hub.add("org/model", {"config.json": "{}"})
        self.fail_with(self.plan(("org/model", sha)), "no weights to fetch (it has none)")


class RefusalTest(DownloadTest):
    def test_gated_without_token(self):
        sha = self.hub.add("org/gated", MODEL, gated=True)
        text = "org/gated: 401 gated, and there is no token: accept the licence at https://huggingface.co/org/gated, then put a token of that account into key hf_api_token of Secret hf-secret"
        self.fail_with(self.plan(("org/gated", sha)), text)

    def test_gated_with_token_of_another(self):
        sha = self.hub.add("org/gated", MODEL, gated="refused")
        output = self.fail_with(self.plan(("org/gated", sha)), "org/gated: 403 gated: accept the licence at https://huggingface.co/org/gated with the account whose token is in key hf_api_token of Secret hf-secret", token="hf_right")
        self.assertNotIn("hf_right", output)

    def test_gated_with_right_token(self):
        sha = self.hub.add("org/gated", MODEL, gated=True)
        self.succeed(self.plan(("org/gated", sha)), token="hf_right")

    def test_refused_adapter_shows_before_the_model_is_fetched(self):
        sha = self.hub.add("org/model", MODEL)
        gated = self.hub.add("org/gated", {"adapter_model.safetensors": b"x"}, gated=True)
        self.fail_with(self.plan(("org/model", sha), adapters=[("a", "org/gated", gated)]), "gated")
        self.assertEqual(self.hub.gets["model.safetensors"], 0)

    def test_wrong_token(self):
        sha = self.hub.add("org/model", MODEL)
        output = self.fail_with(self.plan(("org/model", sha)), "401: the token in key hf_api_token of Secret hf-secret is not valid", token="hf_wrong")
        self.assertNotIn("hf_wrong", output)

    def test_no_such_repository(self):
        self.fail_with(self.plan(("org/nothing", "main")), "org/nothing: 401: no such repository on")
        self.fail_with(self.plan(("org/nothing", "main")), "404: no such repository on", token="hf_right")

    def test_no_such_revision(self):
        self.hub.add("org/model", MODEL)
        self.fail_with(self.plan(("org/model", "v9")), "404: there is no revision v9")

    def test_unreachable(self):
        sha = self.hub.add("org/model", MODEL)
        plan = self.plan(("org/model", sha))
        self.hub.close()
        self.fail_with(plan, "cannot be reached", exit_code=1, DOWNLOAD_TRIES="1")

    def test_no_space(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small volume needs root")
        os.makedirs(os.path.join(self.root, "cache"))
        volume = os.path.join(self.root, "cache")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", volume], check=True)
        self.addCleanup(subprocess.run, ["umount", volume], check=True)
        sha = self.hub.add("org/model", MODEL)
        self.fail_with(self.plan(("org/model", sha)), "GiB free on the cache volume: raise cache.persistence.size, or without a claim model.weightsGiB")

    def test_more_than_the_volume_may_hold(self):
        sha = self.hub.add("org/model", MODEL)
        adapter = {"adapter_config.json": json.dumps({"r": 8}), "adapter_model.safetensors": os.urandom(200_000)}
        adapters = [("a", "org/a", self.hub.add("org/a", adapter))]
        limit_gib = 400_000 / 2**30  # room for the model alone
        text = f"org/model: 0.0 GiB to keep on a cache volume that is limited to {limit_gib} GiB: set model.weightsGiB to 1"
        self.fail_with(self.plan(("org/model", sha), adapters=adapters, limit_gib=limit_gib), text)
        self.assertEqual(self.hub.gets["model.safetensors"], 0)
        # What is there already counts as well.
        self.succeed(self.plan(("org/model", sha), limit_gib=limit_gib))
        self.fail_with(self.plan(("org/model", sha), adapters=adapters, limit_gib=limit_gib), text)
        self.succeed(self.plan(("org/model", sha), adapters=adapters, limit_gib=2 * limit_gib))


class RetryTest(DownloadTest):
    def test_busy_hub_is_asked_again(self):
        sha = self.hub.add("org/model", MODEL)
        self.hub.errors = [503, (429, {"Retry-After": "1"})]
        self.succeed(self.plan(("org/model", "main")))
        self.assertEqual(self.files("org/model", sha), set(MODEL))

    def test_limit_that_stays_is_named(self):
        self.hub.add("org/model", MODEL)
        self.hub.errors = [(429, {"Retry-After": "0"})] * 100
        output = self.fail_with(self.plan(("org/model", "main")), "429: ", exit_code=1)
        self.assertIn("try 2 of 3", output)

    def test_cut_connection_is_resumed(self):
        sha = self.hub.add("org/model", {**MODEL, "model.safetensors": os.urandom(30_000_000)})
        self.hub.cut_after["model.safetensors"] = 20_000_000
        self.succeed(self.plan(("org/model", sha)))
        with open(os.path.join(self.path("org/model", sha), "model.safetensors"), "rb") as file:
            self.assertEqual(file.read(), self.hub.repos["org/model"]["files"]["model.safetensors"])


class AdapterTest(DownloadTest):
    def fetch_adapters(self, **configs):
        sha = self.hub.add("org/model", MODEL)
        adapters = []
        for name, config in configs.items():
            files = {"adapter_config.json": json.dumps(config), "adapter_model.safetensors": b"lora"}
            adapters.append((name, f"org/{name}", self.hub.add(f"org/{name}", files)))
        return self.plan(("org/model", sha), adapters=adapters)

    def engine_config(self):
        with open(os.path.join(self.root, "engine.yaml")) as file:
            return file.read()

    def test_next_legal_rank(self):
        for rank, legal in ((1, 1), (2, 8), (8, 8), (17, 32), (300, 320), (512, 512)):
            self.succeed(self.fetch_adapters(**{f"rank{rank}": {"r": rank}}))
            self.assertEqual(self.engine_config(), f"max-lora-rank: {legal}\n")

    def test_largest_of_several_and_of_the_pattern(self):
        self.succeed(self.fetch_adapters(a={"r": 8}, b={"r": 16, "rank_pattern": {"q_proj": 48}}))
        self.assertEqual(self.engine_config(), "max-lora-rank: 64\n")

    def test_what_vllm_does_not_serve(self):
        self.fail_with(self.fetch_adapters(a={"r": 1024}), "adapter a: rank 1024 is above 512")
        self.fail_with(self.fetch_adapters(b={"r": 8, "use_dora": True}), "adapter b: it has DoRA, which vLLM does not serve")
        self.fail_with(self.fetch_adapters(c={}), "does not say its rank")

    def test_no_adapter(self):
        sha = self.hub.add("org/model", MODEL)
        self.fail_with(self.plan(adapters=[("a", "org/model", sha)]), "adapter a: there is no adapter_config.json")


if __name__ == "__main__":
    unittest.main()

"""Tests of files/download.py: what is fetched, what is refused, what is tried again.

    hack/test.sh download

makes an environment that has huggingface_hub and runs these and the other tests here.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import unittest

from download_case import MODEL, DownloadTest


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
        output = self.succeed(plan)
        self.assertIn("is there already", output)
        self.assertNotIn(" try ", output)

    def test_removed_by_another_pod_meanwhile(self):
        sha = self.hub.add("org/model", MODEL)
        self.succeed(self.plan(("org/model", sha)))
        adapter = self.hub.add("org/a", {"adapter_config.json": '{"r": 8}', "adapter_model.safetensors": os.urandom(3_000_000)})
        self.hub.bytes_per_second = 1_000_000
        process = self.start(self.plan(("org/model", sha), adapters=[("a", "org/a", adapter)]))
        for line in process.stdout:
            if " GiB (" in line:
                break
        shutil.rmtree(self.path("org/model", sha))
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, output)
        self.assertIn("download failed: org/model: its files went while the rest was fetched", output)

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
        # Of a branch the Hub is asked each time.
        self.assertIn("try 3 of 3", output)
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
        self.small_volume("100k")
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


if __name__ == "__main__":
    unittest.main()

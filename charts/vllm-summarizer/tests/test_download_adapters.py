"""Tests of files/download_adapters.py: the rank of the adapters, and which are refused."""

import json
import os
import unittest

from download_case import MODEL, DownloadTest


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

    def refuse(self, text, **config):
        self.fail_with(self.fetch_adapters(a={"r": 8, **config}), f"adapter a: {text}")

    def test_what_vllm_does_not_serve(self):
        self.refuse("rank 1024 is above 512", r=1024)
        self.refuse("it has DoRA, which vLLM does not serve: train it as plain LoRA", use_dora=True)
        self.refuse("it has trained biases (bias: all), which vLLM does not serve: train it as plain LoRA", bias="all")
        modules = "it has other modules trained in full (modules_to_save: embed_tokens, lm_head), which vLLM does not serve: train it as plain LoRA"
        self.refuse(modules, modules_to_save=["score", "embed_tokens", "lm_head"])
        self.refuse("it has other modules trained in full (modules_to_save: score)", modules_to_save="score")

    def test_base_model_that_was_changed(self):
        text = "it has changed base weights (init_lora_weights: {}), which vLLM does not serve: convert it to plain LoRA with PEFT's path_initial_model_for_weight_conversion"
        for init in ("pissa_niter_16", "olora", "corda", "loftq"):
            self.refuse(text.format(init), init_lora_weights=init)

    def test_no_rank(self):
        for rank in (None, "8", 8.5, True, 0, -8):
            self.refuse(f"r is {json.dumps(rank)} in ", r=rank)
        self.refuse("rank_pattern.q_proj is 0 in ", rank_pattern={"q_proj": 0})
        self.refuse("rank_pattern is [8] in ", rank_pattern=[8])
        self.fail_with(self.fetch_adapters(b={}), "adapter b: r is null in ")
        self.fail_with(self.fetch_adapters(c=[]), "adapter c: ")

    def test_what_is_served_although_it_is_named(self):
        plain = {"bias": "none", "modules_to_save": None, "init_lora_weights": True, "use_dora": False, "rank_pattern": None}
        inits = {f"init{n}": {"r": 8, "init_lora_weights": init} for n, init in enumerate(("gaussian", "EVA", "orthogonal", "mica", "lora_ga", False, None))}
        classes = {"r": 8, "modules_to_save": ["classifier", "score"]}
        self.succeed(self.fetch_adapters(plain={"r": 8, **plain}, classes=classes, empty={"r": 8, "modules_to_save": []}, **inits))
        self.assertEqual(self.engine_config(), "max-lora-rank: 8\n")

    def test_no_adapter(self):
        sha = self.hub.add("org/model", MODEL)
        self.fail_with(self.plan(adapters=[("a", "org/model", sha)]), "adapter a: there is no adapter_config.json")


if __name__ == "__main__":
    unittest.main()

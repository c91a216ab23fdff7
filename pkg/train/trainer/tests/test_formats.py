"""The formats that the plugin shares: the same files are read by the Go tests of pkg/train."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest
import yaml

from summarizer_trainer import probe, result
from summarizer_trainer import spec as specs
from summarizer_trainer.errors import RefusedError
from summarizer_trainer.publishing import upload

FORMATS = pathlib.Path(__file__).parents[2] / "testdata" / "formats"
INVALID = sorted((FORMATS / "invalid").glob("*.yaml"))


def test_defaults_are_those_of_the_full_file() -> None:
    full = yaml.safe_load((FORMATS / "full.yaml").read_text(encoding="utf-8"))
    minimal = dataclasses.asdict(specs.load(FORMATS / "minimal.yaml"))

    def written(value: object, by: object) -> object:
        """What of `value` the file states: it leaves out what is empty by default."""
        if isinstance(value, dict) and isinstance(by, dict):
            left_out = {key: item for key, item in value.items() if key not in by}
            assert not any(left_out.values()), left_out
            return {key: written(value[key], by[key]) for key in by}
        return value

    assert written(minimal, full) == full


def test_full_file_says_the_same_as_the_minimal_one() -> None:
    assert specs.load(FORMATS / "full.yaml") == specs.load(FORMATS / "minimal.yaml")


def test_what_the_plugin_writes_is_read() -> None:
    """written.yaml is what the plugin makes of the values that YAML's readers are most at odds about."""
    spec = specs.load(FORMATS / "written.yaml")
    assert spec.training.learningRate == 1e-05
    assert spec.training.weightDecay == 1e-07
    assert spec.training.gradientCheckpointing == "on"
    assert spec.training.packing == "off"
    assert spec.model.revision == "1e10"
    assert spec.data.revision == "0123456"
    assert spec.prompt.instruction == 'Summarize: "yes",\nin 1e-05 words \N{PARTY POPPER}'
    assert spec.cluster is not None and spec.cluster.start is not None
    assert spec.cluster.start.path == "/apis/batch/v1/namespaces/ml/jobs/train-cookies"
    assert spec.cluster.start.patch == {"spec": {"suspend": False}}


def test_there_are_files_that_are_refused() -> None:
    assert len(INVALID) > 20


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_is_refused_with_every_field_that_is_wrong(path: pathlib.Path) -> None:
    heading = path.read_text(encoding="utf-8").splitlines()[0]
    fields = [field.strip() for field in heading.removeprefix("# wrong:").split(",") if field.strip()]
    with pytest.raises(RefusedError) as caught:
        specs.load(path)
    for field in fields:
        assert field in str(caught.value)


def test_code_is_identified_as_the_plugin_does(tmp_path: pathlib.Path) -> None:
    """The same files and digest as in code_test.go."""
    (tmp_path / "part").mkdir()
    for name, content in {
        "b.py": "b\n",
        "part.py": "part\n",
        "part/inner.py": "inner\n",
        "notes.txt": "no code\n",
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert result.code_sha256(tmp_path) == "751b9142dde29722761ed38bbd0cd585639d94461a47bb135d1d35a05c648c78"


def test_code_is_the_same_from_a_zip(tmp_path: pathlib.Path) -> None:
    """In the cluster the program is a zip in PYTHONPATH."""
    sources = pathlib.Path(result.__file__).parent
    archive = tmp_path / "trainer.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sources.rglob("*.py"):
            packed.write(path, path.relative_to(sources.parent))
    program = "from summarizer_trainer import result; print(result.__file__); print(result.code_sha256())"
    libraries = [entry for entry in sys.path if entry and not (pathlib.Path(entry) / "summarizer_trainer").is_dir()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(archive), *libraries])}
    run = subprocess.run(  # in a folder without the sources
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    file, digest = run.stdout.split()
    assert file.startswith(str(archive))
    assert digest == result.code_sha256()


def test_publish_orders_of_the_plugin_are_read() -> None:
    orders = specs.build(upload.Publish, specs.read_yaml(FORMATS / "publish.yaml"), "publish.yaml")
    assert orders == upload.Publish("team/cookies", True, True, "v1", "First", True)


def test_probe_orders_of_the_plugin_are_read() -> None:
    orders = specs.build(probe.Probe, specs.read_yaml(FORMATS / "probe.yaml"), "probe.yaml")
    model = "HuggingFaceTB/SmolLM2-135M-Instruct"
    dialogue = "Amanda: I baked cookies.\nJerry: Sure!"
    assert orders == probe.Probe("http://summarizer.ml:8000", "cookies", model, [dialogue], 8)

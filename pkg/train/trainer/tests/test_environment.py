"""The layer of Python packages: found, installed by the real pip, and refused in words."""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
import zipfile

import pytest
from conftest import Heard

from summarizer_trainer import environment
from summarizer_trainer.environment import Layer
from summarizer_trainer.errors import DiskFullError, RefusedError, TrainerError
from summarizer_trainer.preparation import install

SOURCE = pathlib.Path(__file__).parents[1]
PACKAGE = "summarizer-test-package"


def wheel(directory: pathlib.Path, version: str = "1.0") -> str:
    """Makes a wheel of one module, and returns its line for a lock file."""
    directory.mkdir(exist_ok=True)
    name = PACKAGE.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    content = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    content[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in content.items():
            archive.writestr(member, text)
    return f"{PACKAGE}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def layer(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Layer:
    """A layer of one package, which an index on this machine has."""
    made = Layer("# Made for a test.\n" + wheel(tmp_path / "index"))
    monkeypatch.setattr(environment, "layer", lambda: made)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return made


def test_layer_of_the_source_tree_is_what_was_locked() -> None:
    found = environment.layer()
    assert found is not None
    wanted = [line for line in (SOURCE / "layer.in").read_text().splitlines() if line and not line.startswith("#")]
    assert {f"{name}=={version}" for name, version in found.packages.items()} >= {
        line.replace("tensorboardX", "tensorboardx") for line in wanted
    }
    assert found.hash == hashlib.sha256((SOURCE / "layer.lock").read_bytes()).hexdigest()[:12]


def test_layer_of_the_zip_that_the_plugin_packs(tmp_path: pathlib.Path) -> None:
    packed = tmp_path / "trainer.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in (SOURCE / "src").rglob("*.py"):
            archive.write(path, path.relative_to(SOURCE / "src"))
        archive.write(SOURCE / "layer.lock", "summarizer_trainer/layer.lock")
    program = "from summarizer_trainer import environment as e; print(e.__file__, e.layer().hash)"
    out = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(packed)}, capture_output=True, text=True, check=True
    )
    file, found = out.stdout.split()
    assert file.startswith(str(packed))
    assert found == Layer((SOURCE / "layer.lock").read_text()).hash


def test_install(layer: Layer, tmp_path: pathlib.Path, heard: Heard) -> None:
    volume = tmp_path / "volume"
    assert layer.missing() == [PACKAGE]
    install.run(volume, heard.events)
    directory = volume / "env" / layer.hash
    assert sys.path[0] == str(directory)
    assert os.environ["PYTHONPATH"].split(os.pathsep)[0] == str(directory), "children must find it too"
    import summarizer_test_package  # type: ignore[import-not-found]

    assert summarizer_test_package.VERSION == "1.0"
    assert json.loads((directory / "complete.json").read_text())["packages"] == {PACKAGE: "1.0"}
    assert [path.name for path in (volume / "env").iterdir()] == [layer.hash], "nothing is left beside it"
    assert heard.of("progress")[-1] | {"time": ""} == {
        "event": "progress", "time": "", "phase": "environment", "done": 1, "total": 1, "unit": "packages",
    }  # fmt: skip
    install.run(volume, heard.events)
    assert [event["detail"] for event in heard.of("phase")] == ["1 packages", "all packages are there"]


def test_what_is_half_or_of_another_python_is_installed_again(
    layer: Layer, tmp_path: pathlib.Path, heard: Heard
) -> None:
    directory = tmp_path / "env" / layer.hash
    directory.mkdir(parents=True)
    (directory / "half.py").write_text("")
    assert environment.activate(tmp_path) is None
    (directory / "complete.json").write_text(json.dumps({"for": {**environment.kind(), "python": "3.9"}}))
    assert environment.activate(tmp_path) is None
    install.run(tmp_path, heard.events)
    assert environment.activate(tmp_path) == directory
    assert not (directory / "half.py").exists()


def test_packages_that_are_there_are_not_installed(
    tmp_path: pathlib.Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pytest as installed

    monkeypatch.setattr(environment, "layer", lambda: Layer(f"pytest=={installed.__version__} \\\n"))
    install.run(tmp_path, heard.events)
    assert heard.of("phase")[0]["detail"] == "all packages are there"
    assert not (tmp_path / "env").exists()


def test_layers_that_nobody_used_for_a_day_make_way(layer: Layer, tmp_path: pathlib.Path, heard: Heard) -> None:
    now = time.time()
    for name, age in (("old", 2), ("new", 0.5), (".installing-old", 2), (".installing-new", 0)):
        (tmp_path / "env" / name).mkdir(parents=True)
        if not name.startswith("."):
            (tmp_path / "env" / name / "complete.json").write_text("{}")
            os.utime(tmp_path / "env" / name / "complete.json", (now - age * 86400,) * 2)
        os.utime(tmp_path / "env" / name, (now - age * 86400,) * 2)
    install.run(tmp_path, heard.events)
    assert {path.name for path in (tmp_path / "env").iterdir()} == {"new", ".installing-new", layer.hash}


def test_index_that_cannot_be_reached(
    layer: Layer, tmp_path: pathlib.Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", "http://ann:secret@127.0.0.1:9/simple")
    away = r"the package index http://127.0.0.1:9/simple \(PIP_INDEX_URL\) cannot be reached"
    with pytest.raises(TrainerError, match=away) as failed:
        install.run(tmp_path, heard.events)
    assert failed.value.exit_code == 1
    assert "--package-index" in failed.value.next
    assert "secret" not in str(failed.value)
    assert list((tmp_path / "env").iterdir()) == []


def test_index_that_lacks_a_package(
    layer: Layer, tmp_path: pathlib.Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(RefusedError, match=r"lacks a package: .*summarizer-test-package==1\.0") as refused:
        install.run(tmp_path, heard.events)
    assert "--package-index" in refused.value.next


def test_index_with_other_files(layer: Layer, tmp_path: pathlib.Path, heard: Heard) -> None:
    (file,) = (tmp_path / "index").iterdir()
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("evil.py", "")
    with pytest.raises(RefusedError, match="serves other files than those that were tested"):
        install.run(tmp_path, heard.events)
    assert not (tmp_path / "env" / layer.hash).exists()


def test_python_without_pip(
    layer: Layer, tmp_path: pathlib.Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "python"
    # Without site-packages there is no pip.
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(RefusedError, match="has no pip") as refused:
        install.run(tmp_path, heard.events)
    assert "--image" in refused.value.next


def test_no_room(layer: Layer, tmp_path: pathlib.Path, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(DiskFullError, match=r"need 1073741824\.0 GiB, and the volume has \d+\.\d GiB free"):
        install.run(tmp_path, heard.events)

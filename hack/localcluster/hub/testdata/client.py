"""Asks the stand-in for everything that the chart's download needs, with huggingface_hub itself.

Prints one line a check, "ok NAME" or "FAIL NAME: why". HF_ENDPOINT names the server.
"""

import json
import os
import pathlib
import sys
import tempfile
import urllib.request

from huggingface_hub import HfApi, HfFileSystem, errors, get_hf_file_metadata, hf_hub_download, hf_hub_url, snapshot_download
from huggingface_hub.hf_api import RepoFolder

ENDPOINT = os.environ["HF_ENDPOINT"]
failed = False


def check(name: str, run) -> None:
    global failed
    try:
        run()
        print("ok", name)
    except Exception as error:  # every failure is a line of the report
        failed = True
        print(f"FAIL {name}: {type(error).__name__}: {error}")


def expect(kind, status, run) -> None:
    try:
        run()
    except kind as error:
        found = getattr(getattr(error, "response", None), "status_code", None)
        assert status in (None, found), f"status {found}, want {status}"
        return
    raise AssertionError(f"no {kind.__name__}")


def fault(**what) -> None:
    request = urllib.request.Request(ENDPOINT + "/_faults", json.dumps(what).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request).close()


def fresh(**kwargs) -> pathlib.Path:
    return pathlib.Path(snapshot_download(cache_dir=tempfile.mkdtemp(), **kwargs))


def whole() -> None:
    path = fresh(repo_id="org/open")
    assert (path / "sub/weights.bin").stat().st_size == 20_000_000, list(path.iterdir())
    assert path.name == HfApi().model_info("org/open").sha == "0123456789abcdef0123456789abcdef01234567"


def pinned_and_filtered() -> None:
    path = fresh(repo_id="org/open", revision="0123456789abcdef0123456789abcdef01234567", ignore_patterns=["sub/*", "*.safetensors"])
    assert [p.name for p in path.iterdir()] == ["config.json"]


def local_dir() -> None:
    target = tempfile.mkdtemp()
    snapshot_download("org/open", local_dir=target)
    assert pathlib.Path(target, "config.json").read_text() == '{"a": 1}'


def offline_again() -> None:
    cache = tempfile.mkdtemp()
    first = snapshot_download("org/open", cache_dir=cache)
    assert snapshot_download("org/open", cache_dir=cache, local_files_only=True) == first


def described() -> None:
    """A listing, the model's information and a file's headers say the same of each file."""
    listed = {entry.path: entry for entry in HfApi().list_repo_tree("org/open", recursive=True)}
    assert isinstance(listed.pop("sub"), RepoFolder), listed
    assert [e.path for e in HfApi().list_repo_tree("org/open") if isinstance(e, RepoFolder)] == ["sub"]
    info = {entry.rfilename: entry for entry in HfApi().model_info("org/open", files_metadata=True).siblings}
    assert set(info) == set(listed), (info, listed)
    for path, entry in info.items():
        headers = get_hf_file_metadata(hf_hub_url("org/open", path))
        assert entry.size == listed[path].size == headers.size, (path, entry, listed[path], headers)
        assert entry.blob_id == listed[path].blob_id, (entry, listed[path])
        content = entry.lfs.sha256 if entry.lfs else entry.blob_id
        assert headers.etag == content and entry.lfs == listed[path].lfs, (path, entry, listed[path], headers)
    assert [path for path, entry in info.items() if entry.lfs] == ["adapter.safetensors", "sub/weights.bin"]


def broken() -> None:
    fault(repo="org/open", file="sub/*", breakAfterBytes=5_000_000, times=1)
    path = fresh(repo_id="org/open")
    assert (path / "sub/weights.bin").read_bytes() == b"0123456789" * 2_000_000


def too_many() -> None:
    fault(repo="org/open", file="config.json", status=429, retryAfter=1, times=1)
    whole()


def dataset() -> None:
    fs = HfFileSystem()
    assert fs.ls("datasets/org/chats", detail=False) == ["datasets/org/chats/README.md", "datasets/org/chats/data"]
    assert fs.glob("hf://datasets/org/chats/**/*.jsonl") == ["datasets/org/chats/data/train.jsonl"]
    with fs.open("hf://datasets/org/chats@0123456789abcdef0123456789abcdef01234567/data/train.jsonl") as file:
        assert json.load(file)["summary"] == "A greets."
    assert not fs.exists("hf://datasets/org/chats/data/test.jsonl")
    path = fresh(repo_id="org/chats", repo_type="dataset", allow_patterns="*.jsonl")
    assert (path / "data/train.jsonl").is_file() and not (path / "README.md").exists()


def gated_dataset() -> None:
    expect(errors.GatedRepoError, 403, lambda: fresh(repo_id="org/closed", repo_type="dataset", token="other"))
    expect(errors.RepositoryNotFoundError, 404, lambda: HfApi().dataset_info("org/open", token="other"))
    fresh(repo_id="org/closed", repo_type="dataset", token="good")


def main() -> None:
    check("snapshot of main", whole)
    check("pinned revision, ignored files", pinned_and_filtered)
    check("into a local directory", local_dir)
    check("from the cache, offline", offline_again)
    check("what it says of files", described)
    check("missing file", lambda: expect(errors.EntryNotFoundError, 404, lambda: hf_hub_download("org/open", "none", cache_dir=tempfile.mkdtemp())))
    check("missing revision", lambda: expect(errors.RevisionNotFoundError, 404, lambda: fresh(repo_id="org/open", revision="dev")))
    check("missing repository", lambda: expect(errors.RepositoryNotFoundError, 404, lambda: fresh(repo_id="org/none", token="good")))
    check("gated, no token", lambda: expect(errors.GatedRepoError, 401, lambda: hf_hub_download("org/gated", "config.json", token=False, cache_dir=tempfile.mkdtemp())))
    check("gated, token without access", lambda: expect(errors.GatedRepoError, 403, lambda: hf_hub_download("org/gated", "config.json", token="other", cache_dir=tempfile.mkdtemp())))
    check("gated, token with access", lambda: fresh(repo_id="org/gated", token="good"))
    check("private is hidden", lambda: expect(errors.RepositoryNotFoundError, 404, lambda: fresh(repo_id="org/private", token="other")))
    check("auth_check", lambda: HfApi().auth_check("org/gated", token="good"))
    check("auth_check refused", lambda: expect(errors.GatedRepoError, 403, lambda: HfApi().auth_check("org/gated", token="other")))
    check("whoami", lambda: HfApi().whoami(token="good")["name"] == "ann" or sys.exit("wrong name"))
    check("resumes a broken download", broken)
    check("waits out a 429", too_many)
    check("hf:// addresses and snapshots of a dataset", dataset)
    check("gated dataset", gated_dataset)
    sys.exit(failed)


if __name__ == "__main__":
    main()

"""Makes, changes and removes repositories of the stand-in, as publishing a model does, with huggingface_hub itself.

Prints one line a check, "ok NAME" or "FAIL NAME: why". HF_ENDPOINT names the server.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

import client
from client import check, expect, fault
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem, errors, hf_hub_download, snapshot_download

REPO = "team/tuned"
api = HfApi(token="writer")


def adapter() -> pathlib.Path:
    """A folder like the one that a run publishes: weights, JSON, a card, a large tokenizer in a folder of its own."""
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "adapter_model.safetensors").write_bytes(bytes(range(256)) * 20_000)
    (folder / "adapter_config.json").write_text('{"r": 16}\n')
    (folder / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: org/open\n---\n# Tuned\n")
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer/tokenizer.json").write_text('{"a": 1}' * 500_000)
    (folder / "tokenizer/merges.bin").write_bytes(b"")
    return folder


FOLDER = adapter()
FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file())


def same(folder: str) -> None:
    for name in FILES:
        expected, found = (FOLDER / name).read_bytes(), pathlib.Path(folder, name).read_bytes()
        assert hashlib.sha256(expected).digest() == hashlib.sha256(found).digest(), name


def private_repository() -> None:
    url = api.create_repo(REPO, private=True)
    assert url.repo_id == REPO and url == f"{os.environ['HF_ENDPOINT']}/{REPO}", url
    assert api.create_repo(REPO, private=True, exist_ok=True) == url
    expect(errors.HfHubHTTPError, 409, lambda: api.create_repo(REPO))
    assert api.model_info(REPO).private


def upload() -> None:
    before = api.model_info(REPO).sha
    commit = api.upload_folder(repo_id=REPO, folder_path=FOLDER, commit_message="Upload")
    assert commit.oid == api.model_info(REPO).sha != before, commit
    assert sorted(api.list_repo_files(REPO)) == sorted([*FILES, ".gitattributes"])
    assert api.list_repo_files(REPO, revision=before) == [".gitattributes"]
    same(snapshot_download(REPO, revision=commit.oid, token="writer", cache_dir=tempfile.mkdtemp()))


def upload_again() -> None:
    """What has not changed makes no commit."""
    before = api.model_info(REPO).sha
    assert api.upload_folder(repo_id=REPO, folder_path=FOLDER).oid == before == api.model_info(REPO).sha


def large_file() -> None:
    content = os.urandom(12_000_000)
    api.upload_file(repo_id=REPO, path_or_fileobj=content, path_in_repo="big.json")
    assert pathlib.Path(hf_hub_download(REPO, "big.json", token="writer", cache_dir=tempfile.mkdtemp())).read_bytes() == content
    assert api.get_paths_info(REPO, ["big.json"])[0].lfs.sha256 == hashlib.sha256(content).hexdigest()


def one_more_file() -> None:
    parent = api.model_info(REPO).sha
    add = [CommitOperationAdd("notes.md", b"first")]
    commit = api.create_commit(REPO, add, commit_message="Notes", parent_commit=parent)
    late = [CommitOperationAdd("notes.md", b"second")]
    expect(errors.HfHubHTTPError, 412, lambda: api.create_commit(REPO, late, commit_message="Late", parent_commit=parent))
    api.create_commit(REPO, [CommitOperationDelete("notes.md"), CommitOperationDelete("tokenizer/")], commit_message="Without")
    assert not api.file_exists(REPO, "notes.md") and not api.file_exists(REPO, "tokenizer/tokenizer.json")
    kept = hf_hub_download(REPO, "notes.md", revision=commit.oid, token="writer", cache_dir=tempfile.mkdtemp())
    assert pathlib.Path(kept).read_text() == "first"


def hidden() -> None:
    for token, status in (("good", 404), (False, 401)):
        expect(errors.RepositoryNotFoundError, status, lambda token=token: HfApi(token=token).model_info(REPO))
        expect(errors.RepositoryNotFoundError, status, lambda token=token: HfApi(token=token).upload_folder(repo_id=REPO, folder_path=FOLDER))


def wrong_tokens() -> None:
    expect(errors.HfHubHTTPError, 401, lambda: HfApi(token="bad").create_repo("team/other"))
    expect(errors.HfHubHTTPError, 403, lambda: HfApi(token="good").create_repo("team/other"))
    expect(errors.HfHubHTTPError, 403, lambda: HfApi(token="good").upload_file(repo_id="org/open", path_or_fileobj=b"x", path_in_repo="x"))
    expect(errors.HfHubHTTPError, 403, lambda: HfApi(token="good").create_repo("org/open", exist_ok=False))
    # Who may not write but sees the repository gets on: it is there.
    assert HfApi(token="good").create_repo("org/open", exist_ok=True).repo_id == "org/open"


def bad_card() -> None:
    expect(ValueError, None, lambda: api.upload_file(repo_id=REPO, path_or_fileobj=b"---\nlicense: 5\n---\n", path_in_repo="README.md"))


def interrupted() -> None:
    weights = os.urandom(5_000_000)
    fault(repo=REPO, upload="lfs", breakAfterBytes=1_000_000, times=1)
    api.upload_file(repo_id=REPO, path_or_fileobj=weights, path_in_repo="w.safetensors")
    fault(repo=REPO, upload="commit", loseAnswer=True, times=1)
    send = [CommitOperationAdd("x.json", b"{}")]
    expect(Exception, None, lambda: api.create_commit(REPO, send, commit_message="Lost"))
    # It has arrived all the same: another try finds nothing to do.
    before = api.model_info(REPO).sha
    assert api.upload_file(repo_id=REPO, path_or_fileobj=b"{}", path_in_repo="x.json").oid == before


def settings() -> None:
    api.update_repo_settings(REPO, visibility="public", gated="manual")
    assert HfApi(token=False).model_info(REPO).gated == "manual"
    expect(errors.GatedRepoError, 403, lambda: hf_hub_download(REPO, "adapter_config.json", token="good", cache_dir=tempfile.mkdtemp()))


def dataset() -> None:
    api.create_repo("team/chats", repo_type="dataset")
    api.upload_file(repo_id="team/chats", repo_type="dataset", path_or_fileobj=b'{"a": 1}\n', path_in_repo="data/train.jsonl")
    assert HfFileSystem(token="writer").cat("datasets/team/chats/data/train.jsonl") == b'{"a": 1}\n'


def removal() -> None:
    expect(errors.HfHubHTTPError, 403, lambda: HfApi(token="good").delete_repo(REPO))
    api.delete_repo(REPO)
    assert not api.repo_exists(REPO)
    expect(errors.RepositoryNotFoundError, 404, lambda: api.delete_repo(REPO))
    api.delete_repo(REPO, missing_ok=True)
    api.create_repo(REPO)
    assert api.list_repo_files(REPO) == [".gitattributes"]


def xet() -> None:
    """Without the switch the client insists on Xet, and its last words are what to do."""
    script = f"from huggingface_hub import HfApi; HfApi(token='writer').upload_file(repo_id='{REPO}', path_or_fileobj=b'w' * 99, path_in_repo='w.bin')"
    env = {**os.environ, "HF_HUB_DISABLE_XET": "0"}
    run = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=120)
    last = run.stderr.strip().splitlines()[-1]
    assert run.returncode == 1 and last.endswith("this-Hub-has-no-Xet-storage-set-HF_HUB_DISABLE_XET=1"), run.stderr


def main() -> None:
    for run in (private_repository, upload, upload_again, large_file, one_more_file, hidden, wrong_tokens, bad_card, interrupted, settings, dataset, removal, xet):
        check(run.__name__.replace("_", " "), run)
    sys.exit(client.failed)


if __name__ == "__main__":
    main()

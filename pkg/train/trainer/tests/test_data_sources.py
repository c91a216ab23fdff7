"""Where data comes from: paths, archives, the Hub, and addresses over HTTPS."""

import functools
import io
import json
import pathlib
import ssl
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import Heard
from hubserver import ALLOWED, COMMIT, HubServer

import tiny
from summarizer_trainer import data
from summarizer_trainer.data import samsum
from summarizer_trainer.data.remote import RemoteSource
from summarizer_trainer.data.source import Source
from summarizer_trainer.errors import RefusedError, TrainerError
from summarizer_trainer.hub import Hub
from summarizer_trainer.spec import Data

ROWS = tiny.rows(3)


@pytest.fixture
def source(heard: Heard, tmp_path: pathlib.Path) -> Callable[..., Source]:
    """The source of a URI, checked."""

    def choose(uri: pathlib.Path | str, revision: str = "") -> Source:
        chosen = data.choose(Data(uri=str(uri), revision=revision), Hub(heard.events, sleep=lambda _: None))
        chosen.check()
        return chosen

    return choose


@pytest.fixture
def fetch(source: Callable[..., Source], heard: Heard, tmp_path: pathlib.Path) -> Callable[..., dict[str, list[str]]]:
    """What a URI brings: names by split, each file read."""

    def run(uri: pathlib.Path | str, revision: str = "") -> dict[str, list[str]]:
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        groups = source(uri, revision).fetch(work, heard.events)
        assert all(path.read_bytes() for paths in groups.values() for path in paths)
        return {split: [path.name for path in paths] for split, paths in groups.items()}

    return run


def archive(path: pathlib.Path, members: dict[str, str], mode: str = "w:gz") -> pathlib.Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def jsonl() -> str:
    return "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize("uri", ["", "dialogues.jsonl", "./data", "ftp://host/data", "hf://models/a/b", "SAMSUM"])
def test_what_is_no_source(uri: str, heard: Heard) -> None:
    with pytest.raises(RefusedError, match=r"which is no data that can be read") as refused:
        data.choose(Data(uri=uri), Hub(heard.events))
    assert "samsum, an absolute path, hf://datasets/ORG/NAME" in refused.value.next


def test_paths(fetch: Callable[..., dict[str, list[str]]], tmp_path: pathlib.Path) -> None:
    one = tiny.write_jsonl(tmp_path / "d/train.jsonl", ROWS)
    assert fetch(one) == {"": ["train.jsonl"]}
    assert fetch(tmp_path / "d") == {"train": ["train.jsonl"]}
    tiny.write_jsonl(tmp_path / "d/test.jsonl", ROWS)
    assert fetch(tmp_path / "d") == {"train": ["train.jsonl"], "test": ["test.jsonl"]}


@pytest.mark.parametrize(("name", "mode"), [("d.tar.gz", "w:gz"), ("d.tgz", "w:gz"), ("d.tar", "w")])
def test_archives(fetch: Callable[..., dict[str, list[str]]], tmp_path: pathlib.Path, name: str, mode: str) -> None:
    packed = archive(tmp_path / name, {"d/train.jsonl": jsonl(), "d/val.jsonl": jsonl(), "d/README.md": "x"}, mode)
    assert fetch(packed) == {"train": ["train.jsonl"], "validation": ["val.jsonl"]}


@pytest.mark.parametrize("name", ["../train.jsonl", "/tmp/train.jsonl", "a/../../train.jsonl"])
def test_archive_that_reaches_out_of_itself(
    fetch: Callable[..., dict[str, list[str]]], tmp_path: pathlib.Path, name: str
) -> None:
    with pytest.raises(RefusedError, match="which is outside of it"):
        fetch(archive(tmp_path / "d.tar.gz", {name: jsonl()}))
    assert not list(tmp_path.rglob("train.jsonl"))


def test_links_in_an_archive_are_not_followed(
    fetch: Callable[..., dict[str, list[str]]], tmp_path: pathlib.Path
) -> None:
    with tarfile.open(tmp_path / "d.tar.gz", "w:gz") as tar:
        link = tarfile.TarInfo("train.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(RefusedError, match="there is no data in it"):
        fetch(tmp_path / "d.tar.gz")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nowhere.jsonl", None, "there is no /"),
        ("data.xlsx", b"x", "its format cannot be told"),
        ("d.tar.gz", b"no archive", "it cannot be unpacked"),
        ("empty.tar.gz", b"", "it cannot be unpacked"),
    ],
)
def test_paths_that_are_refused(
    fetch: Callable[..., dict[str, list[str]]], tmp_path: pathlib.Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RefusedError, match=message):
        fetch(tmp_path / name)


CARD = "---\nlicense: cc-by-4.0\n---\n# Chats\n"


def test_repository(source: Callable[..., Source], fetch: Callable[..., dict[str, list[str]]], hub: HubServer) -> None:
    hub.add(
        "datasets/org/chats",
        {"README.md": CARD, "data/train.jsonl": jsonl(), "data/test-0.jsonl": jsonl(), "x.bin": "x"},
    )
    uri = "hf://datasets/org/chats"
    found = source(uri)
    assert (found.uri, found.revision, found.license) == (uri, COMMIT, "cc-by-4.0")
    assert fetch(uri) == {"train": ["train.jsonl"], "test": ["test-0.jsonl"]}
    assert not [line for line in hub.requests() if " GET " in line and "x.bin" in line]
    assert fetch(f"{uri}/data/train.jsonl") == {"": ["train.jsonl"]}
    assert fetch(f"{uri}/data/") == {"train": ["train.jsonl"], "test": ["test-0.jsonl"]}
    assert fetch(f"{uri}@{COMMIT}") == fetch(uri, COMMIT) == fetch(uri)
    with pytest.raises(RefusedError, match=r"there is no train in it; it has README.md, data, x.bin"):
        source(f"{uri}/train")
    with pytest.raises(RefusedError, match="dataset org/chats: there is no revision v9"):
        source(uri, "v9")
    with pytest.raises(RefusedError, match="dataset org/none: 401, there is none of this name"):
        source("hf://datasets/org/none")
    with pytest.raises(RefusedError, match="names no repository"):
        source("hf://datasets/org")


@pytest.mark.parametrize(
    ("card", "license"),
    [
        ("---\nlicense: [mit, apache-2.0]\n---\n", "mit, apache-2.0"),
        ("---\ntags: [x]\n---\n", ""),
        ("no metadata", ""),
        ("---\nlicense: [\n---\n", ""),
    ],
)
def test_licence_of_a_card(source: Callable[..., Source], hub: HubServer, card: str, license: str) -> None:
    hub.add("datasets/org/chats", {"README.md": card, "train.jsonl": jsonl()})
    assert source("hf://datasets/org/chats").license == license


def test_gated_repository(
    fetch: Callable[..., dict[str, list[str]]], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("datasets/org/closed", {"train.jsonl": jsonl()}, gated=True)
    with pytest.raises(RefusedError, match="it is gated") as refused:
        fetch("hf://datasets/org/closed")
    assert "https://huggingface.co/datasets/org/closed" in refused.value.next
    monkeypatch.setenv("HF_TOKEN", ALLOWED)
    assert fetch("hf://datasets/org/closed") == {"train": ["train.jsonl"]}


def test_samsum(source: Callable[..., Source], hub: HubServer) -> None:
    with pytest.raises(TrainerError, match="dataset knkarthick/samsum: 401") as failed:
        source("samsum")
    assert "https://arxiv.org/src/1911.12237v2/anc/corpus.7z" in failed.value.next
    files = {f"{split}.csv": "id,dialogue,summary\n" for split in ("train", "validation", "test")}
    hub.add(f"datasets/{samsum.MIRROR}", files, samsum.REVISION)
    hub.add(f"datasets/{samsum.MIRROR}", files)
    found = source("samsum")
    assert (found.revision, found.license) == (samsum.REVISION, "cc-by-nc-nd-4.0"), "main has moved on"
    assert isinstance(found, samsum.SamsumSource)
    assert source("samsum", COMMIT).revision == COMMIT


def test_samsum_without_its_commit(
    source: Callable[..., Source], fetch: Callable[..., dict[str, list[str]]], hub: HubServer, heard: Heard
) -> None:
    files = {f"{split}.csv": "id,dialogue,summary\n" for split in ("train", "validation", "test")}
    hub.add(f"datasets/{samsum.MIRROR}", files)
    assert sorted(fetch("samsum")) == ["test", "train", "validation"]
    assert f"has no commit {samsum.REVISION} any more: this run has its newest, {COMMIT}" in heard.warnings()
    with pytest.raises(RefusedError, match="there is no revision 0000"):
        source("samsum", "0" * 40)


@pytest.fixture
def https(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of the files in `www`, whose certificate is trusted."""
    key, certificate, www = tmp_path / "key.pem", tmp_path / "cert.pem", tmp_path / "www"
    www.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    class Handler(SimpleHTTPRequestHandler):
        def send_head(self) -> io.BytesIO | None:  # type: ignore[override]
            if "secret" in self.path and "signature=right" not in self.path:
                self.send_error(403)
                return None
            self.path = self.path.partition("?")[0]
            return super().send_head()  # type: ignore[return-value]

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(www)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_https(
    fetch: Callable[..., dict[str, list[str]]], source: Callable[..., Source], https: str, tmp_path: pathlib.Path
) -> None:
    tiny.write_jsonl(tmp_path / "www/all.jsonl", ROWS)
    tiny.write_jsonl(tmp_path / "www/secret.jsonl", ROWS)
    (tmp_path / "www/notes.txt").write_text("no data")
    archive(tmp_path / "www/d.tar.gz", {"d/train.jsonl": jsonl(), "d/test.jsonl": jsonl()})
    assert fetch(f"{https}/all.jsonl") == {"": ["all.jsonl"]}
    assert fetch(f"{https}/d.tar.gz") == {"train": ["train.jsonl"], "test": ["test.jsonl"]}
    assert fetch(f"{https}/secret.jsonl?signature=right") == {"": ["secret.jsonl"]}
    assert source(f"{https}/secret.jsonl?signature=right").uri == f"{https}/secret.jsonl"
    with pytest.raises(RefusedError, match=r"there is nothing at https://127.0.0.1"):
        fetch(f"{https}/none.jsonl")
    with pytest.raises(RefusedError, match="may not be read") as refused:
        fetch(f"{https}/secret.jsonl?signature=wrong")
    assert "wrong" not in str(refused.value) + refused.value.next, "a signature is a secret"
    with pytest.raises(RefusedError, match="its format cannot be told"):
        fetch(f"{https}/notes.txt")


def test_https_that_cannot_be_reached(fetch: Callable[..., dict[str, list[str]]]) -> None:
    with pytest.raises(TrainerError, match=r"https://127.0.0.1:9/a.jsonl cannot be read") as failed:
        fetch("https://127.0.0.1:9/a.jsonl")
    assert failed.value.exit_code == 1


def test_folder_of_an_object_store(heard: Heard, tmp_path: pathlib.Path) -> None:
    import fsspec

    # The file system in memory lists as gs:// and s3:// do.
    store = fsspec.filesystem("memory")
    for name in ("data/train-0.jsonl", "data/train-1.jsonl", "data/test.jsonl", "data/notes.txt"):
        store.pipe(f"/bucket/{name}", jsonl().encode())
    found = RemoteSource("memory://bucket/data/")
    found.check()
    groups = found.fetch(tmp_path, heard.events)
    assert {split: [path.name for path in paths] for split, paths in groups.items()} == {
        "train": ["train-0.jsonl", "train-1.jsonl"],
        "test": ["test.jsonl"],
    }
    assert not list(tmp_path.rglob("notes.txt"))
    assert heard.of("progress")[-1]["done"] == heard.of("progress")[-1]["total"] == 3 * len(jsonl())
    with pytest.raises(RefusedError, match=r"there is nothing at memory://bucket/other.jsonl"):
        RemoteSource("memory://bucket/other.jsonl").check()

"""Which files of a repository are fetched."""

from fnmatch import fnmatch

from download_failures import Failure
from download_progress import say

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf")


def is_weights(path):
    return path.endswith(WEIGHTS)


def ignored(path, patterns):
    """Whether a pattern matches, as huggingface_hub does it: "dir/" stands for all in it."""
    return any(fnmatch(path, pattern + "*" if pattern.endswith("/") else pattern) for pattern in patterns)


def choose(repo, sizes, patterns):
    """The files to fetch, by path and size in bytes, of all that the repository has."""
    chosen = {path: size for path, size in sizes.items() if not ignored(path, patterns)}
    left = [path for path in chosen if is_weights(path)]
    if not left:
        only = {path: size for path, size in sizes.items() if path.endswith(".safetensors")}
        if not only:
            there = ", ".join(sorted(path for path in sizes if is_weights(path))[:5]) or "none"
            raise Failure(f"{repo}: no weights to fetch (it has {there}): check model.id and model.ignorePatterns")
        say(f"download: {repo}: model.ignorePatterns would leave no weights; fetching {', '.join(sorted(only))} all the same")
        chosen.update(only)
    elif any(path.endswith(".safetensors") for path in left):
        # The same weights once more, as pickle files.
        for path in left:
            if path.endswith((".bin", ".pt", ".pth")):
                del chosen[path]
    elif any(path.endswith((".bin", ".pt", ".pth")) for path in left):
        say(f"download: {repo}: its weights are pickle files, not safetensors; prefer a repository with safetensors")
    return chosen

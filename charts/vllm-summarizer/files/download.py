"""Fetches a model and its adapters from the Hugging Face Hub before the server starts.

    python3 download.py PLAN.json

PLAN.json is written by the chart. A pinned commit that is there already needs no network: a
pod starts while the Hub is down. Of a branch or tag the Hub is asked at every start for the
commit; when it does not say one, also after further tries, the commit that is there is served.

Exit codes: 0 all there; 1 failed, and 3 failed in a way that no restart mends (the last line
of the output and the termination message say why); 143 stopped.
"""

import json
import os
import signal
import sys
import time

# Read by huggingface_hub when it is imported.
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("HF_HUB_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "30")
# A second copy of the weights in Xet's chunk cache would not fit the volume.
os.environ.setdefault("HF_XET_CHUNK_CACHE_SIZE_BYTES", "0")

from download_adapters import write_engine_config
from download_failures import Failure
from download_progress import Progress, say
from download_room import check_limit, check_space
from download_store import Store

TERMINATION_LOG = os.environ.get("TERMINATION_LOG", "/dev/termination-log")


def fetch(plan):
    """Brings every repository of the plan to its path; raises Failure."""
    stores = [Store(repo, plan["secret"]) for repo in plan["repos"]]
    # All are looked at first: a refused adapter must not show after an hour of weights.
    missing = [store for store in stores if store.look()]
    if missing:
        check_limit(stores, plan["cacheLimitGiB"])
        check_space(stores, missing, on_claim=plan["cacheLimitGiB"] is None)
        with Progress(missing):
            for store in missing:
                store.fetch()
        for store in stores:
            # Fetching may have taken longer than a mark protects what was there before.
            if not store.use():
                raise Failure(
                    f"{store.repo}: its files went while the rest was fetched, perhaps to make room for another pod: "
                    "they are fetched again when the container restarts",
                    permanent=False,
                )
    if plan["engineConfig"]:
        write_engine_config(plan["adapters"], plan["engineConfig"])


def main(path):
    # As the container's first process Python would ignore SIGTERM; threads that download
    # would hold up an ordinary exit.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    with open(path, encoding="utf-8") as file:
        plan = json.load(file)
    start = time.monotonic()
    try:
        fetch(plan)
    except (Failure, OSError) as failure:
        message = f"download failed: {failure}"
        try:
            with open(TERMINATION_LOG, "w", encoding="utf-8") as log:
                log.write(message + "\n")
        except OSError as error:
            say(f"{TERMINATION_LOG} cannot be written: {error}")
        say(message)
        return 3 if getattr(failure, "permanent", False) else 1
    say(f"download: done in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stdout.flush()
    # Downloads that were given up may still have threads.
    os._exit(code)

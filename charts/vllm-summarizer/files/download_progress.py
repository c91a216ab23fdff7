"""Lines that say how far the download is."""

import os
import threading

# Kept short for the people and the program that watch; a terminal is not assumed.
EVERY_SECONDS = float(os.environ.get("DOWNLOAD_PROGRESS_SECONDS", "5"))
GIB = 1 << 30


def say(line):
    print(line, flush=True)


def bytes_below(directory):
    """Bytes that the files below a directory take; what is being written counts as it grows."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                stat = os.lstat(os.path.join(folder, name))
            except FileNotFoundError:
                continue  # renamed meanwhile
            # A file that is written in parts has its full size from the start. Network
            # file systems may report no blocks at all.
            written = stat.st_blocks * 512
            total += min(stat.st_size, written) if written else stat.st_size
    return total


class Progress:
    """Prints `download: 1.2 of 14.5 GiB (8 %)` while it is entered."""

    def __init__(self, stores):
        self.stores = stores
        self.total = sum(store.total_bytes for store in stores)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.show()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def _run(self):
        while not self.stop.wait(EVERY_SECONDS):
            self.show()

    def show(self):
        done = min(self.total, sum(store.bytes_there() for store in self.stores))
        percent = 100 * done // self.total if self.total else 100
        say(f"download: {done / GIB:.1f} of {self.total / GIB:.1f} GiB ({percent} %)")

"""Lets one pod at a time prepare on a volume: after a node was lost, an earlier one may still be at work."""

import contextlib
import errno
import fcntl
import pathlib
import time
from collections.abc import Iterator

from ..events import Events

_NO_LOCKS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS)
_AGAIN_SECONDS = 2.0
_SAY_SECONDS = 60.0


@contextlib.contextmanager
def alone(volume: pathlib.Path, events: Events) -> Iterator[None]:
    """Holds the volume's lock, which the kernel drops with the process; on volumes without locks it does nothing."""
    volume.mkdir(parents=True, exist_ok=True)
    said = -_SAY_SECONDS
    with (volume / ".prepare.lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - said >= _SAY_SECONDS:
                    events.warning(f"another process prepares on {volume}: it is waited for")
                    said = time.monotonic()
                time.sleep(_AGAIN_SECONDS)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                break
        yield

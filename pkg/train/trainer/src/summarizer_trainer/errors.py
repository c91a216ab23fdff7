"""How a run can end other than well: each kind of error has an exit code that the Job's failure policy knows."""

import errno
from collections.abc import Iterator


class TrainerError(Exception):
    """A failure that another try may mend, such as a network that is away (exit code 1).

    `next` says what to type or change, or is empty.
    """

    kind = "failed"
    exit_code = 1

    def __init__(self, message: str, next: str = "") -> None:
        super().__init__(message)
        self.next = next


class RefusedError(TrainerError):
    """The specification, the data, the access or the machine is not right (exit code 3): trying again is no use."""

    kind = "refused"
    exit_code = 3


class DiskFullError(RefusedError):
    """The volume has no room left (exit code 3). What was trained until the last checkpoint is kept."""

    kind = "disk"


class OutOfMemoryError(TrainerError):
    """The GPU or the container has too little memory (exit code 5)."""

    kind = "memory"
    exit_code = 5


class DivergedError(TrainerError):
    """The loss is not a number any more (exit code 6)."""

    kind = "diverged"
    exit_code = 6


class InterruptedRunError(TrainerError):
    """The process was asked to stop (exit code 75, EX_TEMPFAIL of sysexits.h): the next attempt goes on from there."""

    kind = "interrupted"
    exit_code = 75

    def __init__(self, message: str, step: int = 0) -> None:
        super().__init__(message)
        self.step = step


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that it was raised from: libraries wrap what the system said."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_disk_full(error: BaseException) -> bool:
    """Whether a file system without room, or a quota that is used up, is behind the error."""
    full = (errno.ENOSPC, errno.EDQUOT)
    return any(isinstance(link, OSError) and link.errno in full for link in chain(error))


def one_line(error: BaseException, longest: int = 300) -> str:
    """What an error says, on one line of at most so many characters."""
    return " ".join(str(error).split())[:longest] or type(error).__name__

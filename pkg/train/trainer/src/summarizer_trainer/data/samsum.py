"""SAMSum, the corpus of messenger-like dialogues that is used when no data is named.

Gliwa et al., 2019, arXiv 1911.12237; licence CC BY-NC-ND 4.0. Its first repositories on the Hub are gone, and what is
there are copies of others: one of them is used, at a fixed commit, and its rows are counted.
"""

import pathlib

from ..errors import RefusedError, TrainerError
from ..events import Events
from ..hub import Hub, NoRevisionError, Repo
from .repository import SCHEME, HubSource

NAME = "samsum"
LICENSE = "cc-by-nc-nd-4.0"
ROWS = {"train": 14732, "validation": 818, "test": 819}
"""As the authors published it."""
MIRROR = "knkarthick/samsum"
REVISION = "6b929ff10edec703164e3ddb2e94aae058c9ab5f"
"""The mirror's commit, which names its content; github.com/AIwaterpiggy/SHEER has pinned the same."""
# Copies have lost a row or two whose dialogue is empty.
_LOST = 5
_BY_HAND = (
    "get https://arxiv.org/src/1911.12237v2/anc/corpus.7z, unpack it, put train.json, val.json and test.json on the "
    "volume, and name their directory as the data"
)


class SamsumSource(HubSource):
    """A copy of SAMSum on the Hub, as Source describes it."""

    def __init__(self, revision: str, hub: Hub) -> None:
        super().__init__(f"{SCHEME}{MIRROR}", revision or REVISION, hub, license=LICENSE)
        self._pinned = not revision
        self._moved = False

    def check(self) -> None:
        """Asks the Hub for the copy, at its newest commit if the fixed one is gone; says how to get it otherwise."""
        try:
            try:
                super().check()
            except NoRevisionError:
                if not self._pinned:
                    raise
                self._moved = True
                self._repo = Repo(MIRROR, "main", "dataset")
                super().check()
        except TrainerError as error:
            error.next = f"{error.next}; or {_BY_HAND}" if error.next else _BY_HAND
            raise

    def fetch(self, work: pathlib.Path, events: Events) -> dict[str, list[pathlib.Path]]:
        """Fetches the three splits, and says when they are not of the fixed commit."""
        if self._moved:
            events.warning(f"{MIRROR} has no commit {REVISION} any more: this run has its newest, {self.revision}")
        return super().fetch(work, events)


def check_rows(rows: dict[str, int], events: Events) -> None:
    """Raises RefusedError when a copy does not have the rows of the corpus."""
    for split, expected in ROWS.items():
        found = rows.get(split, 0)
        if not expected - _LOST <= found <= expected:
            raise RefusedError(
                f"{MIRROR}: its split {split} has {found} rows, and SAMSum has {expected}: this is another corpus",
                next=_BY_HAND,
            )
    lost = sum(ROWS.values()) - sum(rows[split] for split in ROWS)
    if lost:
        events.warning(f"{MIRROR} lacks {lost} of the {sum(ROWS.values())} rows of SAMSum")

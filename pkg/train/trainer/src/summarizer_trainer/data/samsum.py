"""SAMSum, the corpus of messenger-like dialogues that is used when no data is named.

Gliwa et al., 2019, arXiv 1911.12237; licence CC BY-NC-ND 4.0. Its first repositories on the Hub are gone, and what is
there are copies of others: the commit is the one that the copy has when the run is prepared, and stands in the result.
"""

from ..errors import RefusedError, TrainerError
from ..events import Events
from ..hub import Hub
from .repository import SCHEME, HubSource

NAME = "samsum"
LICENSE = "cc-by-nc-nd-4.0"
ROWS = {"train": 14732, "validation": 818, "test": 819}
"""As the authors published it."""
MIRROR = "knkarthick/samsum"
# Copies have lost a row or two whose dialogue is empty.
_LOST = 5
_BY_HAND = (
    "get https://arxiv.org/src/1911.12237v2/anc/corpus.7z, unpack it, put train.json, val.json and test.json on the "
    "volume, and name their directory as the data"
)


class SamsumSource(HubSource):
    """A copy of SAMSum on the Hub, as Source describes it."""

    def __init__(self, revision: str, hub: Hub) -> None:
        super().__init__(f"{SCHEME}{MIRROR}", revision, hub, license=LICENSE)

    def check(self) -> None:
        """Asks the Hub for the copy, and says how to get the corpus without it."""
        try:
            super().check()
        except TrainerError as error:
            error.next = f"{error.next}; or {_BY_HAND}" if error.next else _BY_HAND
            raise


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

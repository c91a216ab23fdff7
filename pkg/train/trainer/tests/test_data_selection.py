"""Counting what is kept and dropped, ids, and the split of data that has none."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer_trainer.data import selection
from summarizer_trainer.data.rows import EMPTY, Record
from summarizer_trainer.data.selection import DUPLICATE, TOO_LONG, Count, Ids, Measured
from summarizer_trainer.errors import RefusedError


def record(dialogue: str, id: str = "") -> Record:
    return Record(id, {"dialogue": dialogue, "summary": f"Of {dialogue}."})


def by_length(one: Record) -> Measured:
    length = len(one.fields["dialogue"])
    return Measured(length) if length <= 10 else Measured(dropped=TOO_LONG, next="shorten it")


DIALOGUES = st.text("ab ", min_size=1, max_size=14).filter(str.strip)


@given(st.lists(st.just(EMPTY) | DIALOGUES.map(record), max_size=30), st.sets(DIALOGUES, max_size=5), st.integers(0, 5))
def test_every_row_is_accounted_for(rows: list[Record | str], others: set[str], limit: int) -> None:
    count = Count()
    known = {record(dialogue).question for dialogue in others}
    kept = list(selection.select(iter(rows), count, by_length, known, limit))
    assert count.rows == count.kept + sum(count.dropped.values()) <= len(rows)
    assert len(kept) == count.kept == len(count.lengths)
    assert not limit or count.kept <= limit
    assert limit or count.rows == len(rows)
    assert not any(one.question in known for one in kept)
    event = count.event()
    assert event["tokens"]["total"] == sum(len(one.fields["dialogue"]) for one in kept)
    assert event["tokens"]["p50"] <= event["tokens"]["p95"] <= event["tokens"]["max"] <= 10


def test_rows_after_the_limit_are_not_read() -> None:
    def endless() -> Iterator[Record]:
        for number in range(10**9):
            yield record(str(number))

    assert len(list(selection.select(endless(), Count(), by_length, set(), 3))) == 3


def test_percentiles_are_of_examples_that_are_there() -> None:
    tokens = Count(rows=4, kept=4, lengths=[40, 10, 30, 20]).event()["tokens"]
    assert tokens == {"p50": 20, "p95": 40, "max": 40, "total": 100}
    assert Count().event()["tokens"] == {"p50": 0, "p95": 0, "max": 0, "total": 0}


def test_a_duplicate_differs_in_white_space_only() -> None:
    count = Count()
    known = {record("A: hi\nB: yo").question}
    rows = [record("A:  hi B: yo "), record("A: hi B: Yo")]
    assert list(selection.select(iter(rows), count, by_length, known, 0)) == []
    assert count.dropped == {DUPLICATE: 1, TOO_LONG: 1}


@given(st.lists(st.tuples(DIALOGUES, st.sampled_from(["", "1", "1-2", "2"]))))
def test_ids_are_unique(rows: list[tuple[str, str]]) -> None:
    ids = Ids()
    given_ids = [ids.of(record(*row)) for row in rows]
    assert len(set(given_ids)) == len(given_ids)
    assert all(given_ids)


def test_ids_are_kept_and_follow_from_the_content() -> None:
    ids = Ids()
    assert [ids.of(record("a", "x")), ids.of(record("b", "x"))] == ["x", "x-2"]
    assert Ids().of(record("a")) == Ids().of(record("a")) != Ids().of(record("b"))


def test_a_tenth_each_goes_to_test_and_validation() -> None:
    splits = [selection.tenth(record(f"dialogue {number}")) for number in range(5000)]
    assert 0.08 < splits.count("test") / 5000 < 0.12
    assert 0.08 < splits.count("validation") / 5000 < 0.12
    assert splits == [selection.tenth(record(f"dialogue {number}", "id")) for number in range(5000)]


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (Count(), "here: the split train is empty"),
        (Count(5, 2, selection.Counter({EMPTY: 3})), "3 of 5 rows of the split train cannot be used: 3 empty"),
        (
            Count(9, 1, selection.Counter({EMPTY: 3, TOO_LONG: 5})),
            "8 of 9 rows of the split train cannot be used: 5 too long, 3 empty",
        ),
    ],
)
def test_more_lost_than_kept(count: Count, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        count.check("train", "here")


def test_half_is_enough() -> None:
    Count(4, 2, selection.Counter({EMPTY: 2})).check("train", "here")

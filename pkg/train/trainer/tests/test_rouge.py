"""ROUGE, the intervals and the other measures."""

import math

import numpy as np
import pytest
from rouge_score import rouge_scorer

from summarizer_trainer.evaluation import measures
from summarizer_trainer.evaluation.intervals import bootstrap
from summarizer_trainer.evaluation.rouge import METRICS, Scorer, split_sentences

# Reference, prediction, and what rouge-score 0.1.2 gives for them. The first is easily checked: 3 words of 6 and of 9.
CASES = [
    (
        "Amanda baked cookies and will bring Jerry some tomorrow.",
        "Amanda: I'll bring you tomorrow.",
        (0.4, 0.0, 0.4, 0.4),
    ),
    (
        "Olivia and Olivier are voting for liberals.",
        "Olivia and Olivier vote for the liberals in this election.",
        (0.7058823529411764, 0.4, 0.7058823529411764, 0.7058823529411764),
    ),
    (
        "Tim is late. Kim will wait for him at the station.",
        "Kim waits at the station. Tim is running late!",
        (0.7999999999999999, 0.33333333333333326, 0.5, 0.7999999999999999),
    ),
    ("The meeting moved to 9:30.", "", (0.0, 0.0, 0.0, 0.0)),
    (
        'He said "no." She left at 5 p.m. and cried.',
        "She left and he said no.",
        (0.7058823529411764, 0.4, 0.3529411764705882, 0.7058823529411764),
    ),
]


@pytest.mark.parametrize(("reference", "prediction", "known"), CASES)
def test_scores_are_those_of_the_reference_package(reference: str, prediction: str, known: tuple[float, ...]) -> None:
    package = rouge_scorer.RougeScorer(list(METRICS), use_stemmer=True)
    plain = package.score(reference, prediction)
    lines = package.score(split_sentences(reference), split_sentences(prediction))
    got = Scorer().score(reference, prediction)
    # Only rougeLsum looks at lines.
    assert got == tuple((lines if metric == "rougeLsum" else plain)[metric].fmeasure for metric in METRICS)
    assert got == known


def test_sentences_end_at_marks_and_lines() -> None:
    assert split_sentences(' He said "no." She left (again!) Why?\nAt 5.30 she came. ') == (
        'He said "no."\nShe left (again!)\nWhy?\nAt 5.30 she came.'
    )


def test_description_states_package_stemmer_and_rule() -> None:
    assert Scorer().description == "rouge-score 0.1.2, stemmer, a line ends after . ! or ? and white space"


def test_interval_has_the_width_of_theory() -> None:
    """Of a mean of 400 normal values: 1.96 standard errors to either side."""
    values = np.random.default_rng(1).normal(0.5, 0.2, size=(400, 2))
    for column, (mean, low, high) in enumerate(bootstrap(values, 4000)):
        half = 1.96 * values[:, column].std() / math.sqrt(400)
        assert mean == pytest.approx(values[:, column].mean())
        assert low == pytest.approx(mean - half, abs=half / 10)
        assert high == pytest.approx(mean + half, abs=half / 10)


def test_interval_is_the_same_every_time_and_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random((50, 4))
    whole = bootstrap(values, 500)
    assert bootstrap(values, 500) == whole
    monkeypatch.setattr("summarizer_trainer.evaluation.intervals._BLOCK", 1500)
    assert bootstrap(values, 500) == whole


def test_interval_of_equal_values_is_the_value() -> None:
    assert bootstrap(np.full((5, 1), 0.25), 100) == [(0.25, 0.25, 0.25)]


@pytest.mark.parametrize(
    ("dialogue", "lead"),
    [
        ("Ann: hi\r\n\r\nBob: hello\nAnn: bye\nBob: no", "Ann: hi\nBob: hello\nAnn: bye"),
        ("Ann: hi", "Ann: hi"),
        ("One. Two! Three? Four.", "One.\nTwo!\nThree?"),
    ],
)
def test_lead_takes_three_turns(dialogue: str, lead: str) -> None:
    assert measures.lead(dialogue) == lead


def test_speakers_begin_a_turn() -> None:
    dialogue = "Ann Lee: at 10: sharp\r\n#Person1#: ok\n12: no name\nAnn Lee : yes\nhttps://x.y\nZoë:"
    assert measures.speakers(dialogue) == ["Ann Lee", "#Person1#", "Zoë"]


def test_name_recall_counts_whole_names_of_the_reference() -> None:
    dialogues = ["Ann: hi\nBob: hi\nCleo: hi", "Dan: hi"]
    references = ["Ann met Bob.", "Dan said hi."]
    assert measures.name_recall(dialogues, references, ["ann met Bobby.", "He said hi."]) == pytest.approx(1 / 3)
    assert measures.name_recall(["no turns here"], ["text"], ["text"]) is None


def test_length_ratio_is_of_all_words() -> None:
    assert measures.length_ratio(["a b c d", "e"], ["a b", "c d e f"]) == pytest.approx(6 / 5)

"""ROUGE of one prediction, by the reference package rouge-score with its stemmer."""

import importlib.metadata
import re

from rouge_score import rouge_scorer

METRICS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
"""Order in which scores are kept, here and in scores.json."""

# rougeLsum compares sentence by sentence and takes a line for a sentence. No sentence splitter is part of ROUGE, and
# the choice moves rougeLsum by up to five points: this one needs no download and is stated with every result.
_SENTENCE_END = re.compile(r"""([.!?]["')\]]*)\s+""")
SPLIT_RULE = "a line ends after . ! or ? and white space"


def split_sentences(text: str) -> str:
    """The text with one sentence a line; lines that are there already are kept."""
    return _SENTENCE_END.sub(r"\1\n", text.strip())


class Scorer:
    """Scores predictions; `description` says how, for the result."""

    def __init__(self) -> None:
        # The package's own splitter would download a model of nltk's.
        self._scorer = rouge_scorer.RougeScorer(list(METRICS), use_stemmer=True, split_summaries=False)
        version = importlib.metadata.version("rouge-score")
        self.description = f"rouge-score {version}, stemmer, {SPLIT_RULE}"

    def score(self, reference: str, prediction: str) -> tuple[float, ...]:
        """F1 of each of METRICS, from 0 to 1."""
        scores = self._scorer.score(split_sentences(reference), split_sentences(prediction))
        return tuple(scores[metric].fmeasure for metric in METRICS)

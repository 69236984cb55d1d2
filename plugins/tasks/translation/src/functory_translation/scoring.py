"""How good translations are: BLEU and chrF of the corpus, by sacrebleu, which is imported here alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from functory_sdk import NotSupported, Scorer
from functory_translation.languages import main_of

TOKENIZERS = {"zh": "zh", "ja": "char", "ko": "char", "th": "char"}
"""How BLEU parts a language into words, where spaces do not; `13a` elsewhere, as WMT does."""


def scorer(texts: Sequence[str], references: Sequence[str], target: str) -> Scorer:
    """Return BLEU (Papineni et al. 2002) and chrF (Popović 2015) over 100, as sacrebleu computes them (Post 2018).

    What it counts of each sentence is counted once, and added up for whichever sentences are chosen.

    :param target: the language that decides what words are.
    :raises NotSupported: where sacrebleu is not installed.
    """
    bleu, chrf = _metrics(target)
    pairs = {"bleu": bleu, "chrf": chrf}
    # Not public, but what every metric of sacrebleu derives from: its own resampling is made of these two.
    counted = {
        name: np.asarray([metric._extract_corpus_statistics([text], [[reference]])[0] for text, reference in
                          zip(texts, references, strict=True)], dtype=np.float64)
        for name, metric in pairs.items()
    }  # fmt: skip

    def score(chosen: Any) -> dict[str, float]:  # Any: an index of numpy
        return {
            name: float(metric._compute_score_from_stats(counted[name][chosen].sum(0).tolist()).score) / 100
            for name, metric in pairs.items()
        }

    return score


def _metrics(target: str) -> tuple[Any, Any]:  # Any: sacrebleu is imported where it is used
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise NotSupported(
            "translations are scored by sacrebleu, which is not installed.", do="pip install 'functory-translation[metrics]'."
        ) from error
    return BLEU(tokenize=TOKENIZERS.get(main_of(target), "13a"), force=True), CHRF()

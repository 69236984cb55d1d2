"""The contract of the head that reads n-grams too: options, the cut, how it is fitted."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from functory_head.adaptation import check_convex
from functory_sdk import NGRAMS, Adaptation, BackboneSpec, Fit, NotSupported, Port, TrainingOptions, TrainingSession


class LexicalOptions(TrainingOptions):
    """Options of the head that reads n-grams; of those of the training loop class weights and smoothing count alone."""

    penalty: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="L2 penalty of the features' map beside the mean loss, on features of a mean spread of 1; chosen on folds if "
        "not given.",
    )
    standardise: bool | None = Field(
        None,
        description="Give each feature the same spread; if false all are divided by one number. If neither this nor the penalty "
        "is given, the folds decide.",
    )
    strength: float = Field(
        3.0,
        gt=0,
        le=1e6,
        description="Inverse L2 penalty of the n-grams' weights, summed over the rows, each weighed by its rarity.",
    )
    folds: int = Field(
        5, ge=2, le=20, description="Folds on which the penalty is chosen, and how much features and n-grams count."
    )
    iterations: int = Field(200, ge=1, le=10000, description="L-BFGS iterations at most.")
    known: int = Field(16, ge=1, le=2_000_000, description="n-grams that φ has weights for: the fit says how many.")
    buckets: int = Field(64, ge=1, le=1 << 20, description="Hashes that φ tells apart: the fit says how many.")


class Lexical(Adaptation[LexicalOptions]):
    """Fits a head that reads the n-grams of the texts beside the backbone's features; the backbone stays as it is.

    Some words decide by themselves, and pooled features blur them. Two maps are fitted apart, of features and of hashed
    n-grams of words and characters; how much each counts is what predicts held-out folds best, so that where one says nothing
    the other stands alone. Forms for every engine read n-grams as arrays beside the tokens.
    """

    beside: tuple[Port, ...] = NGRAMS
    puts: tuple[str, ...] = ("vectors", "features")
    paper: ClassVar[str] = "Weinberger et al. 2009, Feature hashing for large scale multitask learning"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation lexical",
    )

    def cut(self, spec: BackboneSpec) -> int:
        return spec.points

    def crown(self, head: Any) -> Any:
        from functory_head.ngrams import read_ngrams

        read_ngrams(head, self.options.buckets, self.options.known)
        return head

    def fit(self, session: TrainingSession) -> Fit:
        """:raises NotSupported: where the head is not one map whose loss may be taken apart."""
        from functory_head.layers import is_of_units
        from functory_head.ngrams import fit_beside

        if not is_of_units(session.model, of_stored=False):
            raise NotSupported(
                f"{type(session.model.head).__name__} is not one map of a row's features.", do="choose another adaptation."
            )
        check_convex(self.options)
        fit, buckets, known = fit_beside(session, self.options)
        fit.adaptation = type(self)(self.options.model_copy(update={"buckets": buckets, "known": known}))
        return fit

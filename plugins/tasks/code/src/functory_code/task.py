"""The contract: what is wanted in, code out; measured by its syntax, by right code and, where that is allowed, by its tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_code.coding import Coding
from functory_code.sandbox import Limits, refusal
from functory_code.testing import KS, job_of, mean, pairs, pass_scorer, verdicts
from functory_code.types import Code, CodeOptions, Tested, Wanted
from functory_sdk import BackboneSpec, Formulation, Judgement, Scorer, State, WriteTask, overlap, told

TRIES = {f"pass@{k}": f"how likely one of {k} samples passes its test, without bias (Chen et al. 2021)" for k in KS[1:]}


class CodeWriting(WriteTask[CodeOptions]):
    """Writes the code of what is described, or goes on with its beginning; needs no training data, and learns from some."""

    Options: ClassVar = CodeOptions
    Input: ClassVar = Wanted
    Output: ClassVar = Code
    unsaid: ClassVar = (*WriteTask.unsaid, "allow_execution")
    Example: ClassVar = Tested
    shorthand: ClassVar[tuple[str, ...]] = ("text", "start")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "prompt", "instruction", "description", "question", "docstring", "要求"),
        "start": ("start", "signature", "starter_code"),
        "reference": ("reference", "canonical_solution", "code", "solution", "output", "answer", "completion"),
        "test": ("test", "tests", "test_code"),
        "entry": ("entry", "entry_point", "function"),
    }
    metric: ClassVar[str] = "exact_match"
    metrics: ClassVar[Mapping[str, str]] = {
        "pass@1": "the share of codes that pass their tests; of several samples the mean",
        **TRIES,
        "exact_match": "the share of codes that are the reference, outer white space aside",
        "word_f1": "the mean F1 of the words that code and reference share",
        "valid": "the share of codes whose syntax is right",
    }
    paper: ClassVar[str] = "Chen et al. 2021, Evaluating Large Language Models Trained on Code"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task code --backbone smollm2 --output coder",
        "functory build --task code --backbone smollm2 --test problems.jsonl --set task.allow_execution=true --output coder",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        self.check_backbone(spec)
        return {"prompt": Coding(self.options, spec)}

    def check(self, example: Tested, state: State) -> None:
        """:raises NotSupported: where a test would be run, and this system cannot run it behind walls."""
        if self.options.allow_execution and example.test.strip():
            refusal()

    def scorer(self, outputs: Sequence[Any], examples: Sequence[Any], state: State) -> Scorer:
        found = pairs(outputs, examples)
        alike = {
            "exact_match": [_is_same(one, example) if example.reference.strip() else np.nan for one, example in found],
            "word_f1": [overlap(one.code, _whole(example)) if example.reference.strip() else np.nan for one, example in found],
            "valid": [np.nan if one.is_valid is None else float(one.is_valid) for one in outputs],
        }
        known = {name: np.asarray(of, dtype=np.float64) for name, of in alike.items() if not np.isnan(of).all()}
        passing = pass_scorer(outputs, examples, self._limits) if self.options.allow_execution else lambda chosen: {}
        return lambda chosen: {**passing(chosen), **{name: mean(of, chosen) for name, of in known.items()}}

    def deciding(self, metrics: Collection[str]) -> str:
        """The tests, where they were run; else likeness, else the syntax."""
        return next(name for name in ("pass@1", "exact_match", *metrics) if name in metrics)

    def judge(self, output: Any, example: Any, state: State) -> Judgement:
        """Right is what passes its test, where that may be run; else what is the reference, where there is one."""
        is_right = bool(_is_same(output, example)) if example.reference.strip() else None
        why = output.fault
        if self.options.allow_execution and example.test.strip():
            [verdict] = verdicts([job_of(output.code, example)], self._limits)
            is_right, why = verdict.passed, verdict.error
        given = f"{output.code.strip()}\n# {why}" if why else output.code.strip()
        return Judgement(told(given), told(_whole(example).strip()), is_right)

    def golden_inputs(self, state: State) -> Sequence[Wanted]:
        return [Wanted(text=text, start=start) for text, start in GOLDEN]

    @property
    def _limits(self) -> Limits:
        return Limits(self.options.seconds, self.options.memory_mb)


def _whole(example: Tested) -> str:
    """Return code that is right, from its beginning."""
    return example.start + example.reference if example.reference.strip() else ""


def _is_same(output: Code, example: Tested) -> float:
    return float(output.code.strip() in (_whole(example).strip(), example.reference.strip()))


GOLDEN = (
    ("A function that adds two numbers.", ""),
    ("", "def is_even(number: int) -> bool:\n    return"),
    ("写一个函数，计算列表的平均值。", "def mean(values):\n"),
    ("Print <|im_end|> and `three` quotes: ```", "text = '''"),
)
"""For replaying: words alone, a beginning alone, both in another script, signs that a template or a block knows."""

"""Measures code by its tests: of so many samples, how likely is it that one of k passes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from functory_code.sandbox import Limits, Verdict, run_all
from functory_code.types import Code, Tested
from functory_sdk import Scorer

KS = (1, 5, 10, 100)
"""Numbers of tries that are told, as far as there are samples."""
CHECK = re.compile(r"^def check\(", re.MULTILINE)

Job = tuple[str, str]
_known: dict[tuple[Job, Limits], Verdict] = {}


def pass_at(k: int, samples: int, right: int) -> float:
    """Return how likely one of k samples is right, of so many of which some are: without bias (Chen et al. 2021, section 2.1)."""
    if samples - right < k:
        return 1.0
    return float(1 - np.prod(1 - k / np.arange(samples - right + 1, samples + 1)))


def job_of(code: str, example: Tested) -> Job:
    """Return code with what tests it."""
    calls = f"\n\ncheck({example.entry})\n" if example.entry and CHECK.search(example.test) else ""
    return code, example.test + calls


def verdicts(jobs: Sequence[Job], limits: Limits) -> list[Verdict]:
    """Return what comes of each job; one that was run before is not run again.

    :raises NotSupported: where nothing can be run here.
    """
    new = [job for job in dict.fromkeys(jobs) if (job, limits) not in _known]
    if len(_known) > 10_000:
        _known.clear()
        new = list(dict.fromkeys(jobs))
    _known.update({(job, limits): one for job, one in zip(new, run_all(new, limits), strict=True)})
    return [_known[job, limits] for job in jobs]


def pass_scorer(outputs: Sequence[Code], examples: Sequence[Tested], limits: Limits) -> Scorer:
    """Return pass@k over the examples that have a test.

    :raises NotSupported: where nothing can be run here.
    """
    samples = [(output.code, *output.other_codes) if example.test.strip() else () for output, example in pairs(outputs, examples)]
    jobs = [job_of(code, example) for codes, example in zip(samples, examples, strict=True) for code in codes]
    passed = iter(verdicts(jobs, limits))
    right = [sum(next(passed).passed for _ in codes) for codes in samples]
    least = min((len(codes) for codes in samples if codes), default=0)
    rates = {
        f"pass@{k}": np.asarray(
            [pass_at(k, len(codes), ours) if codes else np.nan for codes, ours in zip(samples, right, strict=True)]
        )
        for k in KS
        if k <= least
    }
    return lambda chosen: {name: mean(of, chosen) for name, of in rates.items()}


def pairs(outputs: Sequence[Any], examples: Sequence[Tested]) -> list[tuple[Any, Tested]]:
    """Return each output with its example."""
    return list(zip(outputs, examples, strict=True))


def mean(values: Any, chosen: Any) -> float:
    """Return the mean over the chosen that have a value, or the whole's where none of them has one; (examples,) each."""
    some = values[chosen]
    known = some[~np.isnan(some)]
    return float(known.mean() if len(known) else np.nanmean(values))

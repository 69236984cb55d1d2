"""``text2text-generation``, as transformers 4 had it, for programs that import `functory.compat.pipeline`."""

from __future__ import annotations

from typing import Any

from transformers import AutoModelForSeq2SeqLM

from functory_sdk.torch.pipelines import TextToTextPipeline, Wanted, opened

WANTED = Wanted(TextToTextPipeline, AutoModelForSeq2SeqLM, ("google-t5/t5-base", "a9723ea"))


def pipeline(task: str, /, **arguments: Any) -> Any:  # Any: the arguments of transformers' pipeline, and one of its classes
    """Return the pipeline: ``[{"generated_text": "…"}]`` for a text."""
    return opened(WANTED, task, **arguments)

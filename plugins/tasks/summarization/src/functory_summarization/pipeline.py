"""``summarization``, as transformers 4 had it, for programs that import `functory.compat.pipeline`."""

from __future__ import annotations

from typing import Any, ClassVar

from transformers import AutoModelForSeq2SeqLM
from transformers.utils import logging

from functory_sdk.torch.pipelines import TextToTextPipeline, Wanted, opened

logger = logging.get_logger("transformers.pipelines")


class SummarizationPipeline(TextToTextPipeline):
    """Summaries by an encoder-decoder: ``[{"summary_text": "…"}]`` for a text."""

    return_name: ClassVar[str] = "summary"

    def check_inputs(self, input_length: int, min_length: int | None, max_length: int | None) -> bool:
        """Say where a summary may become longer than its text."""
        if max_length is not None and max_length < (min_length or 0):
            logger.warning(f"Your min_length={min_length} must be inferior than your max_length={max_length}.")
        if max_length is not None and input_length < max_length:
            logger.warning(
                f"Your max_length is set to {max_length}, but your input_length is only {input_length}. Since this is a "
                "summarization task, where outputs shorter than the input are typically wanted, you might consider decreasing "
                f"max_length manually, e.g. summarizer('...', max_length={input_length // 2})"
            )
        return True


WANTED = Wanted(SummarizationPipeline, AutoModelForSeq2SeqLM, ("sshleifer/distilbart-cnn-12-6", "a4f8f3e"))


def pipeline(task: str, /, **arguments: Any) -> Any:  # Any: the arguments of transformers' pipeline, and one of its classes
    """Return the pipeline."""
    return opened(WANTED, task, **arguments)

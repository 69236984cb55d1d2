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
            logger.warning(f"min_length is {min_length}, more than max_length, which is {max_length}: lower it")
        if max_length is not None and input_length < max_length:
            logger.warning(
                f"the text has {input_length} tokens, and its summary may have {max_length}: for a shorter one lower max_length, "
                f"to {input_length // 2} for one half as long"
            )
        return True


WANTED = Wanted(SummarizationPipeline, AutoModelForSeq2SeqLM, ("sshleifer/distilbart-cnn-12-6", "a4f8f3e"))


def pipeline(task: str, /, **arguments: Any) -> Any:  # Any: the arguments of transformers' pipeline, and one of its classes
    """Return the pipeline."""
    return opened(WANTED, task, **arguments)

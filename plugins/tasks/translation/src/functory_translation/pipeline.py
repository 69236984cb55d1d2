"""``translation`` and ``translation_xx_to_yy``, as transformers 4 had them, for programs that import `functory.compat`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from transformers import AutoModelForSeq2SeqLM
from transformers.utils import logging

from functory_sdk.torch.pipelines import Sorted, TextToTextPipeline, Wanted, opened

logger = logging.get_logger("transformers.pipelines")

LANGUAGES = ("src_lang", "tgt_lang")
T5 = ("google-t5/t5-base", "a9723ea")
PAIRS = {("en", "fr"): T5, ("en", "de"): T5, ("en", "ro"): T5}
"""The pairs of languages for which transformers 4 took a model where none was named."""


class TranslationPipeline(TextToTextPipeline):
    """Translations by an encoder-decoder: ``[{"translation_text": "…"}]`` for a text."""

    return_name: ClassVar[str] = "translation"

    def check_inputs(self, input_length: int, min_length: int | None, max_length: int | None) -> bool:
        """Say where a translation may be cut, since it hardly becomes shorter than its text."""
        if max_length is not None and input_length > 0.9 * max_length:
            logger.warning(
                f"the text has {input_length} tokens, and its translation may have {max_length}: raise max_length, or it is cut"
            )
        return True

    def _sanitize_parameters(self, **given: Any) -> Sorted:
        named = {name: code for name in LANGUAGES if (code := given.pop(name, None)) is not None}
        reading, generating, showing = super()._sanitize_parameters(**given)
        pair = None if named else languages(self.task)
        return reading | (dict(zip(LANGUAGES, pair, strict=True)) if pair else named), generating, showing

    def preprocess(self, inputs: Any, **reading: Any) -> Any:
        """Return the tokens of a text; a tokenizer of many languages marks which it is in, and names the one to write."""
        marked = getattr(self.tokenizer, "_build_translation_inputs", None)
        if marked is None:
            return super().preprocess(inputs, truncation=reading.get("truncation", False))
        return marked(inputs, return_tensors="pt", **{"truncation": False, **dict.fromkeys(LANGUAGES), **reading})


def languages(task: str) -> tuple[str, str] | None:
    """Return the languages that a task's name says: ``("en", "fr")`` of ``translation_en_to_fr``."""
    match task.split("_"):
        case [_, source, "to", target]:
            return source, target
    return None


def pipeline(task: str, /, **arguments: Any) -> Any:  # Any: the arguments of transformers' pipeline, and one of its classes
    """Return the pipeline.

    :raises KeyError: for a name that is not ``translation`` and names no two languages.
    """
    pair = languages(task)
    if pair is None and task != "translation":
        raise KeyError(f"{task!r} names no two languages: write translation_en_to_fr")
    wanted = Wanted(TranslationPipeline, AutoModelForSeq2SeqLM)
    return opened(replace(wanted, default=PAIRS.get(pair) if pair else None), task, **arguments)

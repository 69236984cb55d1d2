"""The pipeline of everything that an encoder-decoder writes, as transformers 4 had it: text in, text out.

Summaries and translations are made of it, with other names for what they return.
"""

from __future__ import annotations

import enum
import warnings
from typing import Any, ClassVar

from transformers import Pipeline
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
from transformers.pipelines.base import load_assistant_model

from functory_sdk.torch.pipelines.decoding import at_call, settled

MANY_TOKENS = "stop_sequence is several tokens, and writing ends at the first of them: see generate's stop_strings"


Base: Any = Pipeline
"""Transformers' class as it is: what it says of its methods' arguments is not what its own pipelines take."""
Sorted = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""The arguments of a call: for reading the input, for the model, for showing what came."""


class ReturnType(enum.Enum):
    """What is returned for each text."""

    TENSORS = 0
    TEXT = 1


class TextToTextPipeline(Base):  # type: ignore[misc]
    """Text to text by an encoder-decoder. A task derives from it and says what it returns.

    :cvar return_name: begins the keys of what is returned: ``generated_text``, ``generated_token_ids``.
    """

    _load_tokenizer = True
    _load_processor = _load_image_processor = _load_video_processor = _load_feature_extractor = False
    return_name: ClassVar[str] = "generated"
    framework: ClassVar[str] = "pt"

    def __init__(self, model: Any, tokenizer: Any = None, task: str = "", **kwargs: Any) -> None:  # Any: transformers' own
        assistants = kwargs.pop("assistant_model", None), kwargs.pop("assistant_tokenizer", None)
        self.assistant_model, self.assistant_tokenizer = load_assistant_model(model, *assistants)
        self.tokenizer, self.task = tokenizer, task
        self.prefix = getattr(model.config, "prefix", None)
        self.generation_config, told, rest = settled(model, task, kwargs)
        if told.get("prefix") is not None:
            self.prefix = told["prefix"]
        if tokenizer is not None and self.generation_config.pad_token_id is None:
            self.generation_config.pad_token_id = tokenizer.pad_token_id
        super().__init__(model=model, tokenizer=tokenizer, task=task, **rest)
        self.check_model_type(MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Write for one text, a list of texts, a generator or a data set.

        :param args: the text or texts.
        :param kwargs: ``return_tensors``, ``return_text``, ``clean_up_tokenization_spaces``, ``truncation``, ``stop_sequence``,
            ``batch_size``, and whatever transformers' ``generate`` takes.
        :return: for a text a list with one record for each text written; for a list of texts one record each, or a list of
            them where several are written; for what is read as it comes, an iterator.
        """
        if args and isinstance(args[0], list) and not args[0]:
            return []
        found = super().__call__(*args, **kwargs)
        if isinstance(args[0], list) and all(isinstance(one, str) for one in args[0]) and all(len(one) == 1 for one in found):
            return [one[0] for one in found]
        return found

    def check_inputs(self, input_length: int, min_length: int | None, max_length: int | None) -> bool:
        """Say where the bounds of a call hardly fit what is read: nothing here, see the tasks.

        :param max_length: in tokens; None where only `max_new_tokens` bounds what is written.
        """
        return True

    def _sanitize_parameters(self, **given: Any) -> Sorted:
        reading = _taken(given, "truncation")
        showing = _taken(given, "return_type", "clean_up_tokenization_spaces")
        asked = _taken(given, "return_tensors", "return_text", "stop_sequence")
        generating = given
        if "return_type" not in showing and "return_tensors" in asked:
            showing["return_type"] = ReturnType.TENSORS if asked["return_tensors"] else ReturnType.TEXT
        if (stop_sequence := asked.get("stop_sequence")) is not None:
            ids = self.tokenizer.encode(stop_sequence, add_special_tokens=False)
            if len(ids) > 1:
                warnings.warn(MANY_TOKENS, stacklevel=3)
            generating["eos_token_id"] = ids[0]
        if self.assistant_model is not None:
            generating["assistant_model"] = self.assistant_model
        if self.assistant_tokenizer is not None:
            generating |= {"tokenizer": self.tokenizer, "assistant_tokenizer": self.assistant_tokenizer}
        return reading, generating, showing

    def preprocess(self, inputs: Any, **reading: Any) -> Any:
        """Return the tokens of a text, or of a list of texts, padded.

        :raises TypeError: for what is neither, in the words of transformers 4.
        :raises ValueError: for a list where the tokenizer has nothing to pad with.
        """
        prefix = self.prefix or ""
        if isinstance(inputs, list):
            if self.tokenizer.pad_token_id is None:
                raise ValueError("several texts are padded, and this tokenizer has no token for it: set its pad_token")
            inputs = [prefix + text for text in inputs]
        elif isinstance(inputs, str):
            inputs = prefix + inputs
        else:
            raise TypeError(f"{inputs!r} is neither a text nor a list of texts")
        rows = self.tokenizer(inputs, padding=isinstance(inputs, list), return_tensors="pt", **{"truncation": False, **reading})
        rows.pop("token_type_ids", None)  # of which generate knows nothing
        return rows

    def _forward(self, model_inputs: Any, **generating: Any) -> dict[str, Any]:
        rows, length = model_inputs["input_ids"].shape
        inputs, config, rest = at_call(self.generation_config, model_inputs, generating)
        self.check_inputs(length, config.min_length, None if config.max_new_tokens else config.max_length)
        written = self.model.generate(**inputs, generation_config=config, **rest)
        ids = getattr(written, "sequences", written)
        return {"output_ids": ids.reshape(rows, ids.shape[0] // rows, *ids.shape[1:])}  # (texts, of each, tokens)

    def postprocess(
        self, model_outputs: Any, return_type: ReturnType = ReturnType.TEXT, clean_up_tokenization_spaces: bool = False
    ) -> list[dict[str, Any]]:
        """Return a record for each text that was written."""
        ids = model_outputs["output_ids"][0]
        if return_type == ReturnType.TENSORS:
            return [{f"{self.return_name}_token_ids": one} for one in ids]
        tidy = {"skip_special_tokens": True, "clean_up_tokenization_spaces": clean_up_tokenization_spaces}
        return [{f"{self.return_name}_text": self.tokenizer.decode(one, **tidy)} for one in ids]


def _taken(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take arguments out of others, and return those that are not None."""
    return {name: value for name in names if (value := given.pop(name, None)) is not None}

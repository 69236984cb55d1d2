"""The pipeline: windows of a context, a forward pass for each, and the answers that its logits point at."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering
from transformers.models.auto.modeling_auto import MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES
from transformers.pipelines.base import ChunkPipeline

from functory_question_answering.pipeline.asked import Asked, asked, one_asked
from functory_question_answering.pipeline.likely import likely
from functory_question_answering.pipeline.segments import rows_for
from functory_sdk import NotSupported
from functory_sdk.torch.pipelines import Sorted, Wanted, opened

LONGEST_WINDOW = 384
"""Tokens of a window, question included, where the tokenizer allows as many."""
WIDEST_STRIDE = 128
"""Tokens that two windows share."""
READING = ("padding", "doc_stride", "max_question_len", "max_seq_len")
SHOWING = ("top_k", "max_answer_len", "handle_impossible_answer", "align_to_words")
Base: Any = ChunkPipeline
"""Transformers' class as it is: what it says of its methods' arguments is not what its own pipelines take."""


class QuestionAnsweringPipeline(Base):  # type: ignore[misc]
    """Answers out of a context: ``{"score": …, "start": …, "end": …, "answer": "…"}`` for a question.

    :raises NotSupported: with a tokenizer that does not know the places of its tokens.
    """

    _load_tokenizer = True
    _load_processor = _load_image_processor = _load_video_processor = _load_feature_extractor = False
    default_input_names: ClassVar[str] = "question,context"
    framework: ClassVar[str] = "pt"

    def __init__(self, model: Any, tokenizer: Any = None, task: str = "", **kwargs: Any) -> None:  # Any: transformers' own
        super().__init__(model=model, tokenizer=tokenizer, task=task, **kwargs)
        self.check_model_type(MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES)
        if not self.tokenizer.is_fast:
            raise NotSupported(
                f"{type(tokenizer).__name__} does not tell where in the text its tokens stand.",
                do="take the fast tokenizer of the same model: AutoTokenizer.from_pretrained(…) without use_fast=False.",
            )
        self._rows = rows_for(model, tokenizer)

    @staticmethod
    def create_sample(question: str | list[str], context: str | list[str]) -> Asked | list[Asked]:
        """Return a question and its context as one thing, or lists of both as a list."""
        if isinstance(question, list):
            return [Asked(one, text) for one, text in zip(question, context, strict=False)]
        return Asked(question, str(context))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer questions.

        :param args: dictionaries with ``question`` and ``context``, one of each as texts, a generator or a data set.
        :param kwargs: ``question`` and ``context`` instead; ``top_k`` answers of each; ``max_answer_len`` in tokens;
            ``handle_impossible_answer``: whether an empty answer may win; ``align_to_words``: whether answers are whole words;
            ``max_seq_len`` and ``doc_stride``, of windows, in tokens; ``padding``, ``batch_size``.
        :return: a dictionary, or a list of them where several are asked for; for several questions a list of such.
        """
        found = asked(args, kwargs)
        given = {name: value for name, value in kwargs.items() if name not in ("question", "context", "X", "data")}
        if isinstance(found, list):
            return super().__call__(found[0], **given) if len(found) == 1 else super().__call__(found, **given) if found else []
        return super().__call__(found, **given)

    def _sanitize_parameters(self, **given: Any) -> Sorted:
        if given.get("topk") is not None and given.get("top_k") is None:
            warnings.warn("topk is an old name: write top_k", UserWarning, stacklevel=3)
            given["top_k"] = given["topk"]
        for name in ("top_k", "max_answer_len"):
            if given.get(name) is not None and given[name] < 1:
                raise ValueError(f"{name} is {given[name]}; ask for 1 at least")
        reading, showing = ({name: given[name] for name in names if given.get(name) is not None} for names in (READING, SHOWING))
        return reading, {}, showing

    def preprocess(self, example: Any, **reading: Any) -> Iterator[dict[str, Any]]:
        """Give the windows of one question's context, each with what its logits are read by."""
        one = one_asked(example)
        rows, is_first = self._windows(one, **reading), self._question_is_first
        count = len(rows["input_ids"])
        for number in range(count):
            ids = rows["input_ids"][number]
            # Where the context comes first, version 4 let every token take part; `_is_told` leaves out what is none of its.
            outside = [is_first and place != 1 for place in rows.sequence_ids(number)]
            # The first token of many models stands for no answer, and takes part.
            masked = [out and token != self.tokenizer.cls_token_id for out, token in zip(outside, ids, strict=True)]
            told = {name: torch.tensor(rows[name][number])[None] for name in self._rows if name in rows}
            mask = torch.tensor(masked, dtype=torch.long)[None]
            yield {"example": one, "is_last": number == count - 1, "p_mask": mask, "encoding": rows[number], **told}

    def _windows(
        self, one: Asked, padding: Any = "do_not_pad", doc_stride: int | None = None, max_seq_len: int | None = None,
        max_question_len: int = 64,
    ) -> Any:  # fmt: skip
        """Return the tokens of a question with each window of its context.

        :param max_question_len: of no account with the tokenizers of today, as it was in version 4.
        """
        length = min(self.tokenizer.model_max_length, LONGEST_WINDOW) if max_seq_len is None else max_seq_len
        stride = min(length // 2, WIDEST_STRIDE) if doc_stride is None else doc_stride
        if stride > length:
            raise ValueError(f"windows of {length} tokens cannot share {stride}: lower doc_stride, or raise max_seq_len")
        texts = (one.question_text, one.context_text)
        return self.tokenizer(
            *(texts if self._question_is_first else texts[::-1]),
            truncation="only_second" if self._question_is_first else "only_first",
            padding=padding, max_length=length, stride=stride, return_token_type_ids=True, return_overflowing_tokens=True,
            return_offsets_mapping=True, return_special_tokens_mask=True,
        )  # fmt: skip

    @property
    def _question_is_first(self) -> bool:
        return bool(self.tokenizer.padding_side == "right")

    def _forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        told = {name: inputs[name] for name in self._rows if name in inputs}
        if "use_cache" in inspect.signature(self.model.forward).parameters:
            told["use_cache"] = False
        found = self.model(**told)
        is_named = isinstance(found, Mapping)
        start, end = (found["start_logits"], found["end_logits"]) if is_named else found[:2]
        return {"start": start, "end": end, **inputs}

    def postprocess(
        self, model_outputs: Any, top_k: int = 1, handle_impossible_answer: bool = False, max_answer_len: int = 15,
        align_to_words: bool = True,
    ) -> Any:  # fmt: skip
        """Return the best answers over all windows: one as it is, several as a list."""
        answers: list[dict[str, Any]] = []
        least = 1000000.0
        for window in model_outputs:
            begins, ends, may_answer = _read(window)
            # Words that stretches are widened to make some of them the same, so that more are taken than wanted.
            stretches, none = likely(begins, ends, may_answer, top_k * 2 + 10 if align_to_words else top_k, max_answer_len)
            least = min(least, none)
            padded = 0 if self._question_is_first else int((window["input_ids"] == self.tokenizer.pad_token_id).sum())
            for one in stretches:
                first, last = one.first - padded, one.last - padded
                if self._question_is_first or _is_told(window["encoding"], first, last):
                    start, end = self._place(window["encoding"], first, last, align_to_words)
                    _note(answers, window["example"].context_text, start, end, one.score)
        if handle_impossible_answer:
            answers.append({"score": least, "start": 0, "end": 0, "answer": ""})
        best = sorted(answers, key=lambda answer: -float(answer["score"]))[:top_k]
        return best[0] if len(best) == 1 else best

    def _place(self, encoding: Any, first: int, last: int, by_words: bool) -> tuple[int, int]:  # Any: of tokenizers
        """Return the characters from a first to a last token, widened to words where they are asked for and known."""
        if by_words:
            words = encoding.token_to_word(first), encoding.token_to_word(last)
            context = 1 if self._question_is_first else 0
            if None not in words:
                spans = [encoding.word_to_chars(word, sequence_index=context) for word in words]
                if None not in spans:
                    return spans[0][0], spans[1][1]
        return encoding.offsets[first][0], encoding.offsets[last][1]


def _read(window: Mapping[str, Any]) -> tuple[Any, Any, Any]:  # Any: arrays of numpy
    """Return a window's logits, and which of its tokens may be in an answer, each of (tokens,)."""
    begins, ends = (window[name].reshape(-1).float().numpy() for name in ("start", "end"))
    may_answer = np.asarray(window["p_mask"]).reshape(-1) == 0
    if window.get("attention_mask") is not None:
        may_answer = may_answer & (window["attention_mask"].reshape(-1).numpy() != 0)
    return begins, ends, may_answer


def _is_told(encoding: Any, *tokens: int) -> bool:  # Any: of tokenizers
    """Return whether tokens are of the first text, which is the context where the tokenizer pads on the left."""
    return all(token >= 0 and encoding.sequence_ids[token] == 0 for token in tokens)


def _note(answers: list[dict[str, Any]], text: str, start: int, end: int, score: float) -> None:
    """Add an answer, or its score to the one that says the same."""
    said = text[start:end]
    for answer in answers:
        if answer["answer"].lower() == said.lower():
            answer["score"] += score
            return
    answers.append({"score": score, "start": start, "end": end, "answer": said})


WANTED = Wanted(
    QuestionAnsweringPipeline, AutoModelForQuestionAnswering, ("distilbert/distilbert-base-cased-distilled-squad", "564e9b5")
)


def pipeline(task: str, /, **arguments: Any) -> Any:  # Any: the arguments of transformers' pipeline, and one of its classes
    """Return the pipeline."""
    return opened(WANTED, task, **arguments)

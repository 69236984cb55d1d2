"""``question-answering`` answers as transformers 4 did, stretch for stretch and score for score."""

from __future__ import annotations

from pathlib import Path

import pytest

from functory.compat import pipeline
from functory_sdk import NotSupported
from functory_sdk.testing.checkpoints import write_checkpoint
from functory_sdk.testing.pipelines import PipelineChecks

pytest.importorskip("torch")
pytest.importorskip("transformers")


class TestKept(PipelineChecks):
    golden = Path(__file__).with_name("golden_pipeline.json")


def test_no_answer_is_read_off_the_question_where_the_context_comes_first(tmp_path: Path) -> None:
    about = {"model_max_length": 128, "padding_side": "left"}
    folder = write_checkpoint(tmp_path / "left", "bert", tokenizer=about)
    context = "The film was good, and we saw it. The book was bad; it rained all day, and the sun came at night."
    made = pipeline("question-answering", folder)
    found = made(question=["what was good?", "who was it that came?"], context=[context, context * 2], batch_size=2, top_k=2)
    # The likeliest stretch of the first window lies in the question. Transformers 4 gave " film was good", whatever stands
    # at its place in the context.
    assert found[0][0]["answer"] == " day, and the"


def test_bounds_and_tokenizers_that_cannot_be_are_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "bert", "bert", tokenizer={"model_max_length": 128})
    made = pipeline("question-answering", folder)
    for name in ("top_k", "max_answer_len"):
        with pytest.raises(ValueError, match=f"{name} is 0; ask for 1"):
            made(question="who?", context="we", **{name: 0})
    assert made([]) == []
    sample = made.create_sample("who?", "we saw it")
    assert made(sample) == made(question="who?", context="we saw it") == made({"question": "who?", "context": "we saw it"})
    assert made.create_sample(["who?"], ["we saw it"]) == [sample]

    class Slow:
        is_fast = False

    with pytest.raises(NotSupported, match="Slow does not tell where") as caught:
        pipeline("question-answering", made.model, tokenizer=Slow())
    assert "fast tokenizer" in caught.value.do

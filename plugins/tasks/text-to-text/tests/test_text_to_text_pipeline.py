"""``text2text-generation`` answers as transformers 4 did, token for token, to everything that a program asked it."""

from __future__ import annotations

from pathlib import Path

import pytest

from functory.compat import pipeline
from functory_sdk.testing.checkpoints import write_checkpoint
from functory_sdk.testing.pipelines import PipelineChecks

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


class TestKept(PipelineChecks):
    golden = Path(__file__).with_name("golden_pipeline.json")


def test_a_calls_own_length_holds_over_the_default(tmp_path: Path) -> None:
    made = pipeline("text2text-generation", model=str(write_checkpoint(tmp_path / "bart", "bart", generation={})))
    wanted = made("we saw the film", max_new_tokens=6, return_tensors=True)[0]["generated_token_ids"].tolist()
    short = pipeline("text2text-generation", model=made.model, tokenizer=made.tokenizer, max_length=7)
    for found in (made("we saw the film", max_length=7, return_tensors=True), short("we saw the film", return_tensors=True)):
        assert found[0]["generated_token_ids"].tolist() == wanted


def test_model_and_tokenizer_may_be_objects_paths_and_named_apart(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "t5", "t5", generation={"max_length": 9})
    made = pipeline("text2text-generation", folder, config=str(folder), model_kwargs={"dtype": "float32"}, device=-1)
    wanted = made("we saw the film")
    again = pipeline("text2text-generation", made.model, tokenizer=(str(folder), {"use_fast": True}), num_beams=4, batch_size=2)
    assert again("we saw the film") == wanted
    assert pipeline("text2text-generation", made.model, tokenizer=made.tokenizer, framework="pt")("we saw the film") == wanted
    given = transformers.GenerationConfig(max_new_tokens=3, num_beams=1)
    assert len(made("we saw the film", generation_config=given, return_tensors=True)[0]["generated_token_ids"]) == 4


def test_what_transformers_4_refused_is_refused_by_the_same_kind_of_error(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "t5", "t5", generation={"max_length": 9})
    made = pipeline("text2text-generation", folder)
    with pytest.raises(RuntimeError, match="a tokenizer is given, and no model"):
        pipeline("text2text-generation", tokenizer=made.tokenizer)
    with pytest.raises(Exception, match="does not say where its tokenizer lies"):
        pipeline("text2text-generation", model=made.model)
    with pytest.raises(ValueError, match="is given twice"):
        pipeline("text2text-generation", folder, dtype="float32", model_kwargs={"dtype": "float32"})
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        made()

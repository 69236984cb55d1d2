"""Instructions and inputs: how both stand in a prompt on each kind of backbone, and that both kinds learn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functory_sdk import NotSupported, TooLong, Written
from functory_sdk.testing import TaskSuite, kit
from functory_text_to_text import Answered, TextToText


class TestTextToText(TaskSuite):
    component = "text-to-text"
    options = {"max_new_tokens": 6}

    def perfect(self, example: Answered, state: Any) -> Written:
        return Written(text=example.output, tokens=1, finish="end")


@pytest.fixture(scope="module", params=["tiny-decoder", "tiny-encoder-decoder"])
def do(request: Any) -> Iterator[Any]:
    pytest.importorskip("torch")
    import functory

    with kit():
        task = {"name": "text-to-text", "max_new_tokens": 8, "instruction": "say more."}
        yield functory.build(task=task, backbone=request.param)


def told(function: Any, *given: str) -> str:
    """Return the prompt that an input becomes."""
    [one] = function.form.formulation.encode([function.read(*given)], function.reader, function.state).requests
    return str(function.reader.tokenizer.text(one.ids))


def test_an_instruction_stands_before_its_input_in_one_line_where_a_t5_or_a_colon_wants_it(do: Any) -> None:
    apart = " " if do.form.spec.architecture == "encoder-decoder" else "\n\n"
    assert told(do, "we saw it", "add a word.") == f"add a word.{apart}we saw it"
    before = [do.form.formulation.instruction(do.read("price", given), do.reader) for given in ("translate: ", "翻译：")]
    assert before == ["translate: ", "翻译： "]
    assert told(do, "we saw it") == f"say more.{apart}we saw it"
    assert told(do, "", "name a film.") == "name a film."


def test_an_input_that_is_too_long_is_cut_and_its_instruction_is_not(do: Any) -> None:
    prompt = told(do, "long " * 60, "say it.")
    assert prompt.startswith("say it.")
    assert len(prompt) > len("say it.  long")
    assert do("long " * 60).notes[0].startswith("input cut at ")
    assert not do("short").notes
    with pytest.raises(TooLong, match="instruction and input have"):
        do.replaced(about=replace(do.about, long_text="refuse"))("long " * 60)


def test_what_is_written_is_the_same_in_any_batch_as_a_stream_and_when_it_is_loaded(do: Any, tmp_path: Path) -> None:
    import functory

    rows = [{"input": "We saw"}, {"input": "价格", "instruction": "翻译："}, {"instruction": "Go"}, {"input": "the film " * 9}]
    together = list(do.map(rows, progress=False))
    assert together == [do(**row) for row in rows]
    assert ["".join(do.stream(**row)) for row in rows] == [one.text for one in together]
    assert do.using(beams=2, samples=2)(**rows[0]).others
    assert list(functory.load(do.save(tmp_path / "do")).map(rows, progress=False)) == together


def test_it_learns_from_instructions(do: Any) -> None:
    import functory

    rows = [{"instruction": "the film:", "input": word, "output": f"{word} film"} for word in ("good", "bad", "fine", "poor")]
    before = do.form.backbone.name
    adaptation = "full" if before == "tiny-decoder" else "lora"
    with kit():
        task = {"name": "text-to-text", "max_new_tokens": 12}
        fits = [
            functory.build(
                task=task, train=rows * 2, dev=rows, backbone=before, report=False,
                adaptation={"name": adaptation, "epochs": epochs, "learning_rate": 1e-2 if adaptation == "lora" else 3e-3},
            ).about.data["fit"]["dev_log_probability"]
            for epochs in (1, 6)
        ]  # fmt: skip
    assert fits[1] > fits[0] + 0.1


def test_data_may_leave_input_or_instruction_empty() -> None:
    assert Answered.model_validate({"instruction": "Go", "input": None, "output": "x"}).input == ""
    assert Answered.model_validate({"input": "a", "output": "x"}).instruction == ""


def test_an_encoder_is_refused() -> None:
    from functory_sdk import BackboneSpec

    sizes: dict[str, Any] = {"width": 8, "layers": 1, "vocabulary": 9, "context": 9, "pad_id": 0, "weights_hash": "0"}
    with pytest.raises(NotSupported, match="is an encoder and writes no text"):
        TextToText().formulations(BackboneSpec(reference="x", architecture="encoder", family="bert", **sizes))

"""How a task is put to a backbone, what is learned, and what is taken where the recipe names neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

import functory
from functory.cli import main
from functory.contracts.adaptation import Adaptation
from functory.contracts.component import NoOptions
from functory.contracts.putting import chosen
from functory.contracts.task import Suited
from functory.data.languages import is_english
from functory.errors import NotSupported, RecipeError
from functory.plugins.registry import registered
from functory.running.zero_shot import ZeroShot
from functory_sdk import BackboneSpec, Formulation, Row, read_manifest
from functory_sdk.testing import kit
from functory_sdk.testing.tiny import TinyEncoder
from functory_sdk.testing.toy import ToyAdaptation, ToyExample, ToyState, ToyTask, rows

ENGLISH = ["The match was close, and you could hear the crowd.", "A list of the best places to eat."] * 20


class Apart(ToyTask):
    """The toy task, in each of three ways; on held-out examples it tunes the order of its labels."""

    offered: ClassVar[tuple[str, ...]] = ("features", "vectors", "prompt")
    tuned_on: ClassVar[list[int]] = []
    foreign: ClassVar[str] = ""

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        return dict.fromkeys(self.offered, self)

    def suits(self, *, has_examples: bool) -> Suited:
        named = "toy-head" if has_examples else "zero-shot"
        return Suited("tiny-encoder", named, "it is at hand", "tiny-decoder", multilingual_adaptation=self.foreign)

    def tune(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[ToyExample], state: ToyState
    ) -> ToyState:
        type(self).tuned_on.append(len(outputs))
        return state.model_copy(update={"labels": state.labels[::-1]})


class Vectored(ToyAdaptation):
    """Fits vectors, or else features, for tests."""

    puts: tuple[str, ...] = ("vectors", "features")


class Stated(Adaptation[NoOptions]):
    """Learns the state alone, for tests."""

    puts: tuple[str, ...] = ("prompt",)
    learns: Literal["phi", "state", "nothing"] = "state"


@pytest.fixture(autouse=True)
def tasks() -> Iterator[None]:
    Apart.tuned_on.clear()
    with (
        kit(),
        registered("tasks", "apart", Apart, distribution="functory-sdk", version="0"),
        registered("adaptations", "vectored", Vectored, distribution="functory-sdk", version="0"),
        registered("adaptations", "stated", Stated, distribution="functory-sdk", version="0"),
    ):
        yield


def test_the_adaptations_best_that_the_task_offers_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = TinyEncoder().spec
    assert chosen(Apart(), spec, Vectored())[0] == "vectors"
    assert chosen(Apart(), spec, ToyAdaptation())[0] == "features"
    assert chosen(Apart(), spec, Vectored(), "features")[0] == "features"
    monkeypatch.setattr(Apart, "offered", ("features",))
    assert chosen(Apart(), spec, Vectored())[0] == "features"


def test_what_task_and_adaptation_do_not_share_is_told_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = TinyEncoder().spec
    with pytest.raises(NotSupported, match=r"put = 'prompt', and the adaptation .* goes with 'vectors' or 'features'"):
        chosen(Apart(), spec, Vectored(), "prompt")
    monkeypatch.setattr(Apart, "offered", ("features", "prompt"))
    with pytest.raises(NotSupported, match=r"can be put to .* \(an encoder\) as 'features' or 'prompt', and put = 'vectors'"):
        chosen(Apart(), spec, Vectored(), "vectors")
    monkeypatch.setattr(Apart, "offered", ("features",))
    with pytest.raises(NotSupported, match="as 'features', and the adaptation .* goes with 'prompt'"):
        chosen(Apart(), spec, ZeroShot())
    monkeypatch.setattr(Apart, "offered", ("prompt",))
    with pytest.raises(NotSupported, match="as 'prompt', and .* goes with 'vectors' or 'features'") as caught:
        chosen(Apart(), spec, Vectored())
    assert "leave out train and adaptation" in caught.value.do


def test_a_function_keeps_the_formulation_that_it_was_made_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = functory.build(task="apart", train=rows(40), adaptation="vectored", put="features", output=tmp_path / "apart")
    assert read_manifest(tmp_path / "apart").forms[0].formulation == made.form.put == "features"  # type: ignore[union-attr]
    monkeypatch.setattr(Vectored, "puts", ("vectors",))  # a later version's
    again = functory.load(tmp_path / "apart")
    assert again.form.put == "features"
    assert again("bad") == made("bad")
    monkeypatch.setattr(Apart, "offered", ("vectors",))
    with pytest.raises(NotSupported, match="'vectors', and the function was made with 'features'"):
        functory.load(tmp_path / "apart")


def test_the_command_line_names_a_formulation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.csv"
    data.write_text("text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in rows(40)))
    given = ["build", "--task", "apart", "--train", str(data), "--adaptation", "vectored", "-o", str(tmp_path / "apart")]
    assert main([*given, "--put", "prompt"]) != 0
    assert "put = 'prompt'" in capsys.readouterr().err
    assert main([*given, "--put", "features"]) == 0
    assert read_manifest(tmp_path / "apart").recipe["put"] == "features"


@pytest.mark.parametrize("adaptation", ["toy-head", "zero-shot", "stated"])
def test_what_a_task_tunes_it_tunes_after_any_way_of_learning(adaptation: str) -> None:
    made = functory.build(task="apart", train=rows(40), dev=rows(12, seed=1), adaptation=adaptation, report=False)
    assert Apart.tuned_on == [12]
    assert made.state.labels == ("yes", "no")


def test_without_held_out_examples_nothing_is_tuned() -> None:
    made = functory.build(task="apart", train=rows(40), adaptation="zero-shot", dev_share=0, report=False)
    assert not Apart.tuned_on
    assert made.state.labels == ("no", "yes")


def test_what_learns_the_state_wants_examples() -> None:
    with pytest.raises(RecipeError, match="'stated' learns from examples, and there are none"):
        functory.build(task="apart", adaptation="stated")


def test_a_task_says_what_is_taken_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    without = functory.build(task={"name": "apart", "labels": ["no", "yes"]})
    assert (without.form.backbone.name, without.form.adaptation.name) == ("tiny-encoder", "zero-shot")
    told = functory.build(task="apart", train=rows(40), report=False)
    assert (told.form.backbone.name, told.form.adaptation.name) == ("tiny-encoder", "toy-head")
    foreign: list[dict[str, Any]] = [{**row, "text": f"价格合理，质量也不错。{row['text'][:3]}"} for row in rows(40)]
    other = functory.build(task="apart", train=foreign, report=False)
    assert other.form.backbone.name == "tiny-decoder"
    monkeypatch.setattr(Apart, "foreign", "vectored")
    cases: list[tuple[Any, dict[str, Any]]] = [
        (foreign, {}), (rows(40), {}), (foreign, {"backbone": "tiny-encoder"}), (foreign, {"adaptation": "toy-head"})
    ]  # fmt: skip
    made = [functory.build(task="apart", train=some, report=False, **named) for some, named in cases]
    assert [one.form.adaptation.name for one in made] == ["vectored", "toy-head", "toy-head", "toy-head"]


@pytest.mark.parametrize(
    ("texts", "is_so"),
    [
        (ENGLISH, True),
        (["GOOGLE TO BUY MAKER OF PHONES", "Rates fall for the second time", "Shares of banks rise with oil"] * 9, True),
        (["价格合理，质量也不错，下次还会再来。"], False),
        (["Цена хорошая"], False),
        (["La película es buena y la música también, pero el final no me gustó nada.", "Volvería a verla con amigos."], False),
        (["Der Zug kam zu spät, und niemand hat uns gesagt, wann der nächste fährt.", "Es gab weder Kaffee noch Tee."], False),
        ([f"{start} {number}" for start in ("a cat", "a dog", "I love it") for number in range(99)], True),
        (["bon"], True),
        ([], True),
        (["1 2 3 😀"], True),
    ],
)
def test_english_is_told_from_other_languages(texts: list[str], is_so: bool) -> None:
    assert is_english(texts) is is_so


@pytest.mark.parametrize(("name", "told"), [
    ("similarity", "cosine of their vectors"), ("tagging", "drops and adds words"), ("embedding", "vectors are no words"),
    ("keyphrases", "by their vectors"),
])  # fmt: skip
def test_a_task_that_goes_by_no_prompt_says_why_and_what_to_do(name: str, told: str) -> None:
    from functory.plugins.registry import load
    from functory.running.backbones import open_backbone
    from functory.running.prompt import Prompt

    with kit(), pytest.raises(NotSupported) as raised:
        chosen(load("tasks", name)(), open_backbone("tiny-decoder").spec, Prompt())
    assert told in (raised.value.do or "")

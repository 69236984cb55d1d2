"""What is written for an input in several requests and several rounds: together, alone, as a stream, and as it is replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("torch", reason="tiny networks write: pip install functory-torch")

import functory
from functory import errors
from functory_sdk import Encoded, Input, Output, Reader, Row, Write, WriteOptions, WriteTask
from functory_sdk.testing import kit, registered
from functory_sdk.testing.toybox import isolated_cache


class Parted(Input):
    """A text in parts."""

    text: str


class Joined(Output):
    """What was written last, and how often something was before."""

    text: str
    rounds: int


@dataclass(frozen=True)
class Side:
    side: Any
    rounds: int = 1


class Parts(Write):
    """Writes for each part of a text, then for what was written, until that is one text."""

    def encode(self, inputs: Sequence[Parted], reader: Reader, state: Any) -> Encoded:
        parts = [[part for part in value.text.split("|") if part] for value in inputs]
        of = [index for index, some in enumerate(parts) for _ in some]
        prompts = reader.prompts([part for some in parts for part in some], self._frame, spare=4)
        unfinished = frozenset(index for index, some in enumerate(parts) if len(some) > 1)
        sides = [Side(self.side(reader)) for _ in inputs]
        return Encoded([], [], sides, self.requests(prompts, reader), of, unfinished)

    def further(self, side: Side, outputs: Sequence[Row], reader: Reader, state: Any) -> Encoded | None:
        written = [side.side.read(row["tokens"].tolist())[0] for row in outputs]
        halves = ["".join(written[place : place + 2]) for place in range(0, len(written), 2)]
        again = self.encode([Parted(text="|".join(halves))], reader, state)
        return replace(again, side=[replace(side, rounds=side.rounds + 1)])

    def decode(self, side: Side, outputs: Sequence[Row], state: Any) -> Any:
        return Joined(text="".join(side.side.read(row["tokens"].tolist())[0] for row in outputs), rounds=side.rounds)


class PartsTask(WriteTask[WriteOptions]):
    """Writes for parts."""

    Input: ClassVar = Parted
    Output: ClassVar = Joined
    Example: ClassVar = Parted
    put: ClassVar[type[Parts]] = Parts

    def formulations(self, spec: Any) -> Any:
        return {"prompt": self.put(self.options, spec, self.prompt, self.gold)}

    def golden_inputs(self, state: Any) -> Any:
        return [Parted(text=text) for text in TEXTS]


class Endless(Parts):
    """Is never done."""

    def further(self, side: Side, outputs: Sequence[Row], reader: Reader, state: Any) -> Encoded | None:
        return replace(self.encode([Parted(text="a")], reader, state), unfinished=frozenset({0}))


class ForTwo(Parts):
    """Asks further for two inputs."""

    def further(self, side: Side, outputs: Sequence[Row], reader: Reader, state: Any) -> Encoded | None:
        return self.encode([Parted(text="a"), Parted(text="b")], reader, state)


class OfNobody(Parts):
    """Asks for an input that there is not."""

    def encode(self, inputs: Sequence[Parted], reader: Reader, state: Any) -> Encoded:
        encoded = super().encode(inputs, reader, state)
        return replace(encoded, of=[owner + 1 for owner in encoded.asked])


class Content(Parts):
    """Is asked, and has had enough of the first round where that is one text."""

    def encode(self, inputs: Sequence[Parted], reader: Reader, state: Any) -> Encoded:
        return replace(super().encode(inputs, reader, state), unfinished=frozenset(range(len(inputs))))

    def further(self, side: Side, outputs: Sequence[Row], reader: Reader, state: Any) -> Encoded | None:
        return None if len(outputs) == 1 else super().further(side, outputs, reader, state)


TEXTS = ["we saw|the film|it was good", "one part", "", "价格|合理|质量|不错|x", "a|b"]


@pytest.fixture(scope="module", autouse=True)
def _kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, kit(), registered("tasks", "parts", PartsTask):
        patch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path_factory.mktemp("rounds"))))
        yield


@pytest.fixture(scope="module")
def write() -> Any:
    return functory.build(task={"name": "parts", "max_new_tokens": 4}, backbone="tiny-decoder")


def with_put(write: Any, put: type[Parts]) -> Any:
    made = put(write.task.options, write.form.spec, write.task.prompt, "text")
    return write.replaced(form=replace(write.form, formulation=made))


def test_rounds_are_the_same_together_alone_and_as_a_stream(write: Any) -> None:
    together = list(write.map(TEXTS, progress=False))
    assert [one.rounds for one in together] == [3, 1, 1, 4, 2]
    assert together == list(write.map(TEXTS[::-1], progress=False))[::-1] == [write(text) for text in TEXTS]
    assert together[2].text == ""
    for text, whole in zip(TEXTS, together, strict=True):
        pieces = write.stream(text)
        assert ("".join(pieces), pieces.finish in ("end", "length")) == (whole.text, True)


def test_a_later_round_reads_what_an_earlier_one_wrote(write: Any) -> None:
    first, last = write.rounds([Parted(text="a|b")])[0]
    told = "".join(first.side.side.read(row["tokens"].tolist())[0] for row in first.rows)
    assert write(told).text == write("a|b").text == last.side.side.read(last.rows[0]["tokens"].tolist())[0]


def test_a_text_that_turns_out_to_be_the_last_is_streamed_too(write: Any) -> None:
    content = with_put(write, Content)
    for text in ("one part", "a|b"):
        assert "".join(content.stream(text)) == content(text).text == write(text).text


def test_each_part_of_the_work_is_told_and_all_parts_are_the_whole(write: Any) -> None:
    told: list[float] = []
    write.trace([Parted(text=text) for text in TEXTS], told.append)
    assert sum(told) == pytest.approx(1)
    assert min(told) >= 0


def test_golden_examples_hold_every_round_and_a_changed_one_is_refused(write: Any, tmp_path: Path) -> None:
    from functory.running.golden import replay

    again = functory.load(write.save(tmp_path / "parts"))
    assert [len(one.numeric) for one in again.golden] == [6, 1, 0, 11, 3]
    assert list(again.map(TEXTS, progress=False)) == list(write.map(TEXTS, progress=False))
    last = again.golden[-1]
    for place, row in enumerate(last.numeric):
        likely = np.asarray(row["log_probability"]) + 0.5
        changed = [*last.numeric[:place], {**row, "log_probability": likely.tolist()}, *last.numeric[place + 1 :]]
        with pytest.raises(errors.GoldenMismatch, match="the log-probabilities of its tokens are off by 0.5"):
            replay(again, [replace(last, numeric=changed)], again.form.tolerance)
    for numeric in (last.numeric[:-1], [*last.numeric, last.numeric[0]]):
        with pytest.raises(errors.GoldenMismatch, match="off by inf"):
            replay(again, [replace(last, numeric=numeric)], again.form.tolerance)


@pytest.mark.parametrize(
    ("put", "says"),
    [
        (Endless, "Endless.further wants more after 64 rounds"),
        (ForTwo, "ForTwo.further gives 2 of 'side' for 1 inputs"),
        (OfNobody, "OfNobody.encode says that a request is input 1's, of 1"),
    ],
)
def test_who_asks_for_what_there_is_not_is_named(write: Any, put: type[Parts], says: str) -> None:
    with pytest.raises(errors.PluginError, match=says):
        with_put(write, put)("a|b")


def test_a_stream_of_several_texts_is_refused(write: Any) -> None:
    both = with_put(write, Content).form.formulation
    several = write.replaced(form=replace(write.form, formulation=both))
    assert several("a|b").rounds == 2

    class Several(Parts):
        def further(self, side: Side, outputs: Sequence[Row], reader: Reader, state: Any) -> Encoded | None:
            return None

    with pytest.raises(errors.NotSupported, match="written as 2"):
        list(with_put(write, Several).stream("a|b"))

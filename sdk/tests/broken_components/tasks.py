"""Tasks that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from functory_sdk import Input, Port, State, Suited, Write, WriteOptions, WriteTask
from functory_sdk.testing import ToyTask
from functory_sdk.testing.toy import ToyLabel, ToyManyTask, ToyState, ToyText

counter = itertools.count(1)


class Strange(ToyTask):
    """Names a field that its Input has not."""

    shorthand: ClassVar[tuple[str, ...]] = ("words",)


class Unsuited(ToyTask):
    """Names an adaptation that does not go with it."""

    def formulations(self, spec: Any) -> Mapping[str, Any]:
        return {"features": self}

    def suits(self, *, has_examples: bool) -> Suited:
        return Suited("tiny-encoder", "zero-shot", "it is at hand")


class Silent(ToyLabel):
    """An output with an undescribed field."""

    extra: str = ""


class Undescribing(ToyTask):
    """Has a field without a description."""

    Output: ClassVar = Silent


class Spread(ToyLabel):
    """An output that lies in no cell."""

    def in_cells(self, top: int | None = None) -> dict[str, Any]:
        return {"labels": [*self.scores]}


class Spreading(ToyTask):
    """Puts a list into a cell."""

    Output: ClassVar = Spread

    def decode(self, side: Any, outputs: Any, state: Any) -> Spread:
        return Spread(**super().decode(side, outputs, state).model_dump())


class Unfitting(ToyTask):
    """Announces labels that it does not give."""

    def output_schema(self, state: Any) -> dict[str, Any]:
        schema = super().output_schema(state)
        schema["properties"]["label"]["enum"] = ["perhaps"]
        return schema


class Counting(State):
    """A state that is new each time."""

    labels: tuple[str, ...] = ()
    turn: int = 0


class Fickle(ToyTask):
    """Learns something else each time."""

    State: ClassVar = Counting

    def learn(self, examples: Any) -> Any:
        return Counting(labels=("no", "yes"), turn=next(counter))


class Unsorted(ToyTask):
    """Announces its labels as a set holds them, which is another order in each process."""

    def output_schema(self, state: Any) -> Any:
        schema = super().output_schema(state)
        schema["properties"]["label"]["enum"] = list({*state.labels, *"abcdefgh"})
        return schema


class Unordered(ToyTask):
    """Learns its labels as a set holds them."""

    def learn(self, examples: Any) -> Any:
        return ToyState(labels=tuple({*(example.label for example in examples), *"abcdefgh"}))


class Picky(ToyTask):
    """Refuses its own examples."""

    def check(self, example: Any, state: Any) -> None:
        raise ValueError("no")


class Untupled(ToyTask):
    """Gives a text where a tuple of them is wanted: each letter would be a label."""

    def strata(self, example: Any) -> Any:
        return example.label


class Ownerless(ToyTask):
    """Mixes up whose row is whose."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        encoded.owner.reverse()
        return encoded


class Portless(ToyTask):
    """Gives rows that lack what the program reads."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        for row in encoded.rows:
            row["attention_mask"] = row["attention_mask"][:1]
        return encoded


class Gregarious(ToyTask):
    """Lets inputs reach each other's rows."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        for row in encoded.rows:
            row["input_ids"] = row["input_ids"] + (len(inputs) > 1)
        return encoded


class Unruly(ToyTask):
    """Cuts long texts and never refuses one."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        reader.long_text = "window"
        return super().encode(inputs, reader, state)


class Brittle(ToyTask):
    """Falls over an empty text."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        encoded.side = [value.text for value in inputs]
        return encoded

    def decode(self, side: Any, outputs: Any, state: Any) -> Any:
        side.strip()[0]
        return super().decode((), outputs, state)


class Goldless(ToyTask):
    """Has nothing to replay."""

    def golden_inputs(self, state: Any) -> Any:
        return []


class Leading(ToyTask):
    """Says by how much it leads in logits."""

    def lead(self, side: Any, outputs: Any, state: Any) -> float:
        return 7.5


class Batchy(ToyTask):
    """Has a head that looks at the other rows."""

    head: ClassVar[str] = "broken_heads:BatchyHead"


class Racing(ToyTask):
    """Keeps the input on itself."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        self.last = super().encode(inputs, reader, state)
        time.sleep(0.003)
        return self.last


class Aimless(ToyTask):
    """Points at a place that no output has."""

    def targets(self, output: Any, side: Any, state: Any) -> Any:
        return [target.model_copy(update={"index": (7,)}) for target in super().targets(output, side, state)]


class Mislabelling(ToyTask):
    """Gives labels of another type than its port."""

    def label(self, examples: Any, encoded: Any, state: Any) -> Any:
        return [{"gold": np.asarray([0.5, 0.5], dtype=np.float32)} for _ in encoded.owner]


class Tagging(ToyTask):
    """Labels every token, special ones too."""

    head: ClassVar[str] = "broken_heads:TagHead"

    def gold_ports(self, spec: Any, state: Any) -> Any:
        return (Port("tags", "int64", ("tokens",), -100),)

    def label(self, examples: Any, encoded: Any, state: Any) -> Any:
        return [{"tags": np.zeros(len(row["input_ids"]), dtype=np.int64)} for row in encoded.rows]


class Padded(Tagging):
    """Trains on padding."""

    head: ClassVar[str] = "broken_heads:PaddedHead"


class Headless(ToyTask):
    """Has a head that gives another output than it declares."""

    def outputs(self, spec: Any, state: Any) -> Any:
        return (Port("scores", "float32", (5,)),)


class Untuned(ToyTask):
    """Tunes itself into nothing."""

    def tune(self, sides: Any, outputs: Any, examples: Any, state: Any) -> Any:
        return None


class Unfair(ToyTask):
    """Scores wrong answers above right ones."""

    def scorer(self, outputs: Any, examples: Any, state: Any) -> Any:
        score = super().scorer(outputs, examples, state)
        return lambda indices: {"accuracy": 1 - score(indices)["accuracy"]}


class Opaque(ToyTask):
    """Breaks its results down into what JSON cannot hold."""

    def breakdown(self, outputs: Any, examples: Any, state: Any) -> Mapping[str, Any]:
        return {"per_class": [{"support": np.int64(3)}]}


class Misjudging(ToyTask):
    """Calls right answers wrong."""

    def judge(self, output: Any, example: Any, state: Any) -> Any:
        found = super().judge(output, example, state)
        return dataclasses.replace(found, is_right=not found.is_right)


class Lenient(ToyTask):
    """Calls every answer right."""

    def judge(self, output: Any, example: Any, state: Any) -> Any:
        return dataclasses.replace(super().judge(output, example, state), is_right=True)


class Untold(ToyTask):
    """Tells another metric than it gives."""

    metrics: ClassVar[Mapping[str, str]] = {"exactness": "the share of right answers"}


class Costly(ToyTask):
    """Chooses functions by what it calls an error."""

    lower_is_better = ("accuracy",)


class Reversed(ToyTask):
    """Reads its own labels backwards."""

    def decode(self, side: Any, outputs: Any, state: Any) -> Any:
        return super().decode(side, outputs, state.model_copy(update={"labels": state.labels[::-1]}))


class Two(ToyText):
    """Two texts."""

    second: str = Field(description="The other text.")


class TwoLabelled(Two):
    """Two texts, and what they say."""

    label: str = Field(description="What they say.")


class OneEyed(ToyTask):
    """Is given two texts, and reads the first."""

    Input: ClassVar = Two
    Example: ClassVar = TwoLabelled

    def golden_inputs(self, state: Any) -> Any:
        return [Two(text=one.text, second="好") for one in super().golden_inputs(state)]


class Misaimed(ToyTask):
    """Says of each label where its neighbour's number stands."""

    def targets(self, output: Any, side: Any, state: Any) -> Any:
        found = super().targets(output, side, state)
        return [one.model_copy(update={"index": ((one.index[0] + 1) % len(state.labels),)}) for one in found]


class Misnaming(ToyTask):
    """Loses what a label is called now."""

    def relabelled(self, example: Any, names: Any) -> Any:
        return example


class Overstating(ToyTask):
    """Scores all examples better than any draw of them."""

    def scorer(self, outputs: Any, examples: Any, state: Any) -> Any:
        return lambda indices: {"accuracy": float(len(set(indices.tolist())) == len(examples))}


class Neglecting(ToyManyTask):
    """Reads the first of its options, and no other."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        return reader.encode([(value.question, *value.options[:1]) for value in inputs])


class Line(Input):
    """A text."""

    text: str = Field(description="The text.")


class Continued(Line):
    """A text, and what comes after it."""

    reference: str = Field(description="What comes after it.")


class LineOptions(WriteOptions):
    """Few tokens."""

    max_new_tokens: int = Field(default=6, ge=1, description="How many tokens are written at most.")


class Careless(LineOptions):
    """Any number of tokens."""

    max_new_tokens: int = Field(default=6, description="How many tokens are written at most.")


class Writes(WriteTask[LineOptions]):
    """Goes on from a text, in a way that is wrong."""

    Options: ClassVar = LineOptions
    Input: ClassVar = Line
    Example: ClassVar = Continued
    put: ClassVar[type[Write]] = Write

    def formulations(self, spec: Any) -> Mapping[str, Any]:
        self.check_backbone(spec)
        return {"prompt": self.put(self.options, spec, self.prompt, self.gold)}


class WritesNothing(Writes):
    """Takes no tokens for a number of them."""

    Options: ClassVar = Careless


class Bytewise(Writes):
    """Looks at a text's bytes before anybody has read it."""

    def prompt(self, value: Any) -> str:
        return str(value.text.encode().decode())


class Overfull(Writes):
    """Leaves no room for what is written."""

    class put(Write):  # noqa: N801
        def prompts(self, inputs: Any, reader: Any) -> Any:
            return reader.prompts([value.text for value in inputs], self._frame, spare=-64)


class Unguided(Writes):
    """Passes over guides."""

    class put(Write):  # noqa: N801
        def using(self, decoding: Any) -> Any:
            return super().using(decoding.model_copy(update={"guide": None}))


class Uncontrolled(Writes):
    """Passes over controls."""

    class put(Write):  # noqa: N801
        def steer(self, control: Any, reader: Any) -> Any:
            return None


class Templateless(Writes):
    """Uses no template, whoever asks for it."""

    def formulations(self, spec: Any) -> Mapping[str, Any]:
        self.check_backbone(spec)
        options = self.options.model_copy(update={"chat": "off"})
        return {"prompt": Write(options, spec, self.prompt, self.gold)}


class Deaf(Writes):
    """Drops the system text."""

    def formulations(self, spec: Any) -> Mapping[str, Any]:
        self.check_backbone(spec)
        return {"prompt": Write(self.options.model_copy(update={"system": ""}), spec, self.prompt, self.gold)}

"""What a task owes: honest rows, labels where labels belong, outputs that no batch and no thread changes, fair metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args, get_origin

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import Backbone
from functory.contracts.batching import pad
from functory.contracts.component import NoOptions
from functory.contracts.engine import SessionOptions
from functory.contracts.plain import plain_type
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.contracts.task import Formulation, Input, Learning, Output, State, Target, Task
from functory.errors import FunctoryError, NotSupported, TooLong
from functory.reading.reader import LongText, Reader
from functory.running.forms import torch_form
from functory_sdk.testing.adaptations import tensors
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.guarding import overridable
from functory_sdk.testing.suite import ComponentSuite, TorchSuite

HARD = (
    "", " ", "a", "\n\t", "no spaces" * 40, "word " * 300, "价格合理，质量也不错。" * 40, "👩‍🔬 ☕️ naïve", "a\r\nb\x00c",
    "[SEP] <end> </s>", "ﬁne print½",
)  # fmt: skip
"""Texts that a function meets: empty, long, without spaces, in other scripts, with control characters."""


class Untrained(Adaptation[NoOptions]):
    """A head as it was drawn."""

    def cut(self, spec: Any) -> int:
        return int(spec.points)


class Everything(Adaptation[NoOptions]):
    """Every weight, so that a few examples can be learned by heart."""

    def attach(self, network: Any) -> None:
        from functory_sdk.torch import own

        own(network)


class Unadapted(Adaptation[NoOptions]):
    """No φ."""

    learning: Learning = "nothing"


@dataclass
class Put:
    """A task as it is put to one backbone, with an untrained head."""

    name: str
    task: Task[Any]
    state: Any
    backbone: Backbone[Any]
    formulation: Formulation
    form: Any  # Any: a TorchForm

    def reader(self, long_text: LongText = "window") -> Reader:
        return Reader(self.backbone.tokenizer, self.backbone.spec, long_text)

    def encode(self, inputs: Sequence[Any], long_text: LongText = "window") -> Encoded:
        return self.formulation.encode(inputs, self.reader(long_text), self.state)

    def run(self, encoded: Encoded) -> list[list[Row]]:
        """Return, for each input, the outputs of its rows."""
        session = self.form.open(SessionOptions(budget=256))
        if self.formulation.program == "forward":
            return encoded.rows_of(session.run(encoded.rows))
        tokens: list[list[int]] = [[] for _ in encoded.side]
        for index, token in session.generate(encoded.requests):
            tokens[index].append(token)
        return [[{"tokens": np.asarray(one, dtype=np.int64)}] for one in tokens]

    def decode(self, encoded: Encoded, rows: Sequence[Sequence[Row]]) -> list[Any]:
        return [self.formulation.decode(side, one, self.state) for side, one in zip(encoded.side, rows, strict=True)]

    def compute(self, inputs: Sequence[Any]) -> list[Any]:
        encoded = self.encode(inputs)
        return self.decode(encoded, self.run(encoded))


@dataclass
class Told:
    """What an output says of a target."""

    output: Any
    value: float
    score: float | None


@dataclass
class Aim:
    """One target of an input's output, and the outputs of the input's rows."""

    put: Put
    value: Any
    side: Any
    rows: Sequence[Row]
    target: Target

    def told(self, rows: Sequence[Row]) -> Told:
        """Return the target's value, and the score that the output of some rows has under the target's name.

        That is its entry in the output's ``scores``, or the field of that name. Where a target names something else, a
        span say, it is 1 where the output still has a target at that place, and None where it has not.
        """
        formulation, state = self.put.formulation, self.put.state
        output, name = formulation.decode(self.side, rows, state), self.target.name
        value = formulation.value(self.target, self.side, rows, state)
        scores, field = getattr(output, "scores", None), getattr(output, name, None)
        if isinstance(scores, Mapping) and name in scores:
            return Told(output, value, float(scores[name]))
        if isinstance(field, float | int):
            return Told(output, value, float(field))
        places = [(one.row, one.port, one.index) for one in formulation.targets(output, self.side, state)]
        place = (self.target.row, self.target.port, self.target.index)
        return Told(output, value, 1.0 if place in places else None)


class TaskSuite(ComponentSuite, TorchSuite):
    """Inherit it, and name the task in `component`.

    The task is put to tiny backbones, with an untrained head, in every way that it supports. Where its examples have
    other fields than texts, numbers and names, `examples` must be given; where its `baseline` on a single example is
    not the right answer, `perfect` must be overridden.
    """

    kind: ClassVar[str] = "tasks"
    engine: ClassVar[str] = "torch"
    """The engine that runs it."""
    backbones: ClassVar[Sequence[str]] = ("tiny-encoder", "tiny-decoder", "tiny-encoder-decoder")
    """The backbones it is tried on."""
    examples: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Some examples, as plain data; made up from the fields of `Example` where none are given."""

    _puts: ClassVar[list[Put] | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._puts = None

    @overridable
    def perfect(self, example: Any, state: Any) -> Any:
        """Return the Output that is right for an example: by default what `baseline` says of it alone."""
        found = self.task.baseline([example], state)
        assert found, f"the suite cannot guess the right output of an example: override {type(self).__name__}.perfect."
        return found[0]

    @property
    def task(self) -> Task[Any]:
        """The task, with the suite's options."""
        made: Task[Any] = self.configured()
        return made

    def made_examples(self) -> list[Any]:
        """Return examples of the task's type."""
        task = self.task
        data = list(self.examples) or list(guessed(task.Example, task.Input))
        return [task.Example.model_validate(one) for one in data]

    def inputs(self) -> list[Any]:
        """Return the examples' inputs and the task's golden ones."""
        task = self.task
        fields = list(task.Input.model_fields)
        plain = [task.Input(**{name: getattr(one, name) for name in fields}) for one in self.made_examples()]
        return [*plain, *task.golden_inputs(task.learn(self.made_examples()))]

    def varied(self, base: Any, name: str) -> Any:
        """Return an input that differs from another one in a single field, which has the value that an example gives it."""
        others = [getattr(one, name) for one in self.made_examples() if getattr(one, name) != getattr(base, name)]
        assert others, f"the examples have one value of {name!r}: set `examples` that differ in it."
        return self.task.Input.model_validate({**dict(base), name: others[0]})

    def aims(self, inputs: Sequence[Any], most: int | None = None) -> list[Aim]:
        """Return the targets of the inputs' outputs, of each at most so many; skip a check where there are none to explain."""
        found = []
        for put in self.puts():
            encoded = put.encode(inputs)
            for value, side, rows in zip(inputs, encoded.side, put.run(encoded), strict=True):
                output = put.formulation.decode(side, rows, put.state)
                targets = list(put.formulation.targets(output, side, put.state))[:most]
                found += [Aim(put, value, side, rows, one) for one in targets]
        return found or pytest.skip("the task names no targets")

    def hard_inputs(self) -> list[Any]:
        """Return every combination of a hard text with the task's text fields that the Input accepts."""
        task, base = self.task, self.inputs()[0]
        found = []
        for name, field in task.Input.model_fields.items():
            for text in HARD if field.annotation is str else ():
                try:
                    found.append(task.Input.model_validate({**base.model_dump(), name: text}))
                except ValidationError:
                    continue  # the Input refuses it, and says so to the caller
        return found or pytest.skip("the Input takes no free text")

    def puts(self) -> list[Put]:
        """Return the task as it is put to each tiny backbone, in each way that it supports; made once for all checks."""
        if self.task.parts:
            pytest.skip("the task is made of functions and has no program of its own")
        if self._puts is None:
            type(self)._puts = self._put()
        assert self._puts, f"{self.component!r} supports none of {', '.join(self.backbones)}: set `backbones`."
        return self._puts

    def _put(self) -> list[Put]:
        from functory.plugins.registry import load
        from functory.running.backbones import open_backbone

        task = self.task
        state, found = task.learn(self.made_examples()), []
        for reference in self.backbones:
            backbone = open_backbone(reference)
            for adaptation in (Untrained(), Unadapted()):
                try:
                    formulation = task.formulate(backbone.spec, adaptation.learning)
                except NotSupported:
                    continue
                engine = load("engines", self.engine).configure()
                model = engine.adapt(backbone, formulation, state, adaptation)
                form = torch_form(engine, backbone, adaptation, task, state, model)
                found.append(Put(f"{reference}, {adaptation.learning}", task, state, backbone, formulation, form))
        return found

    def forward(self) -> list[Put]:
        """Return the ways in which the task's program is a forward pass over rows; skip a check where there are none."""
        found = [put for put in self.puts() if put.formulation.program == "forward"]
        return found or pytest.skip("the task writes, and has no rows")

    def supervised(self) -> list[Put]:
        """Return the ways in which the task learns from examples."""
        found = [put for put in self.puts() if put.form.learning == "supervised" and put.formulation.head]
        return found or pytest.skip("the task learns nothing from examples")

    # -- types ------------------------------------------------------------------------------------------

    def test_types_fit_together(self) -> None:
        """Input, Output, Example and State are models of the contract; shorthand, columns and metric name what exists.

        If this fails: derive Example from Input, and name only fields that it has.
        """
        task = self.load()
        assert issubclass(task.Input, Input) and issubclass(task.Output, Output) and issubclass(task.State, State)
        lacking = task.Input.model_fields.keys() - task.Example.model_fields.keys()
        assert not lacking, f"Example lacks the Input's {', '.join(sorted(lacking))}."
        strange = [name for name in task.shorthand if name not in task.Input.model_fields]
        assert not strange, f"shorthand names {strange[0]!r}, which Input has not."
        strange = [name for name in task.columns if name not in task.Example.model_fields]
        assert not strange, f"columns names {strange[0]!r}, which Example has not."

    def test_every_field_is_described(self) -> None:
        """Signatures, schemas and the card are read from the fields of Input, Example and Output.

        If this fails: give each field a description.
        """
        for model in (self.load().Input, self.load().Example, self.load().Output):
            for name, field in model.model_fields.items():
                assert (field.description or "").strip(), f"{model.__name__}.{name} has no description."

    def test_schemas_are_valid_and_outputs_fit_them(self) -> None:
        """The JSON Schemas are valid, and what the task answers fits the schema that it announces.

        If this fails: let `output_schema` allow every value that `decode` can give, such as null for no label.
        """
        jsonschema = pytest.importorskip("jsonschema", reason="pip install functory-sdk[testing]")
        task = self.task
        state = task.learn(self.made_examples())
        for schema in (task.Input.model_json_schema(), task.Example.model_json_schema(), task.output_schema(state)):
            jsonschema.Draft202012Validator.check_schema(schema)
        checker = jsonschema.Draft202012Validator(task.output_schema(state))
        for put in self.each(self.puts()):
            for output in put.compute(self.inputs()):
                checker.validate(output.model_dump(mode="json"))

    def test_outputs_are_told_in_a_line_and_in_cells(self) -> None:
        """An answer reads as a line, and lies in a table's cells: texts, numbers, true or false.

        If this fails: return from the Output's `in_line` a text, and from `in_cells` what a table can hold; a list is
        written as JSON.
        """
        for put in self.each(self.puts()):
            for output in put.compute(self.inputs()[:2]):
                assert isinstance(output.in_line(2), str), f"{put.name}: {output!r} is told as {output.in_line(2)!r}."
                for top in (None, 2):
                    for column, cell in output.in_cells(top).items():
                        assert cell is None or isinstance(cell, str | int | float), (
                            f"{put.name}: the column {column!r} holds a {type(cell).__name__}, which is no cell."
                        )

    def test_state_survives_json(self) -> None:
        """What the task learned comes back from a manifest as it was, and learning twice gives the same.

        If this fails: hold tuples, numbers and texts in State, and sort what comes from a set.
        """
        task = self.task
        state = task.learn(self.made_examples())
        again = type(state).model_validate(json.loads(state.model_dump_json()))
        assert again == state, f"{state!r} became {again!r}"
        assert task.learn(self.made_examples()) == state, "learning from the same examples gives another state."

    def test_its_own_examples_pass_its_check(self) -> None:
        """Examples from which the state was learned fit that state, and can be balanced in splits.

        If this fails: make `check` agree with `learn`; `strata` returns a tuple of texts, `("yes",)` for one.
        """
        task, examples = self.task, self.made_examples()
        state = task.learn(examples)
        for example in examples:
            task.check(example, state)
            labels = task.strata(example)
            assert isinstance(labels, tuple), f"strata gives {labels!r}, which is no tuple."
            assert all(isinstance(label, str) for label in labels), f"strata gives {labels!r}."

    def test_its_labels_take_other_names(self) -> None:
        """Labels that are alike can be merged: an example with other names for its labels has these and the same input.

        If this fails: return from `relabelled` a copy, `example.model_copy(update=…)`, in which every label of `labels` has its
        new name.
        """
        task = self.task
        labelled = [(example, names) for example in self.made_examples() if (names := task.labels(example))]
        for example, before in self.each(labelled or pytest.skip("the task has no labels")):
            try:
                renamed = task.relabelled(example, {label: f"{label} 2" for label in before})
            except NotSupported:
                pytest.skip("the task does not rename its labels")
            assert task.labels(renamed) == tuple(f"{label} 2" for label in before), f"{example!r} became {renamed!r}."
            for name in task.Input.model_fields:
                assert getattr(renamed, name) == getattr(example, name), f"renaming labels changed {name!r}."

    # -- rows -------------------------------------------------------------------------------------------

    def test_every_row_has_its_owner(self) -> None:
        """Rows come in the order of their inputs, each with its owner, and each input has its side data.

        If this fails: append to rows and owner together, and to side once per input, even where it gives no row.
        """
        inputs = self.inputs()
        for put in self.each(self.puts()):
            encoded = put.encode(inputs)
            assert len(encoded.side) == len(inputs), f"{put.name}: {len(encoded.side)} sides for {len(inputs)} inputs."
            assert len(encoded.owner) == len(encoded.rows), f"{put.name}: owner and rows differ in length."
            assert encoded.owner == sorted(encoded.owner), f"{put.name}: owners are out of order."
            assert set(encoded.owner) <= set(range(len(inputs))), f"{put.name}: an owner is no input."
            if put.formulation.program == "generate":
                assert len(encoded.requests) == len(inputs), f"{put.name}: one request per input is wanted."
            nothing = put.encode([])
            assert not nothing.rows and not nothing.side, f"{put.name}: no inputs gave something."

    def test_rows_fit_the_programs_ports(self) -> None:
        """Each row holds what the program reads, in the ports' types and shapes, and none is longer than the context.

        If this fails: make rows with `reader.row`, and declare what you add in `Formulation.inputs`.
        """
        for put in self.each(self.forward()):
            for row in put.encode([*self.inputs(), *self.hard_inputs()]).rows:
                for port in put.form.program.inputs:
                    fits_port(put.name, row, port)
                length = len(row["input_ids"])
                assert length <= put.backbone.spec.context, f"{put.name}: a row of {length} tokens."

    def test_each_field_changes_the_rows(self) -> None:
        """An input that differs in one field gives other rows, whichever field that is: none is ignored.

        If this fails: `encode` passes over the field. Read both texts of a pair: `reader.encode([(one.first, one.second)])`.
        """
        task = self.task
        base = self.inputs()[0]
        for put in self.puts():
            before = put.encode([base])
            for name in self.each(task.Input.model_fields):
                after = put.encode([self.varied(base, name)])
                is_same = before.requests == after.requests and difference(before.rows, after.rows) == 0
                assert not is_same, f"{put.name}: the rows are the same whatever {name!r} says."

    def test_an_input_gives_the_same_rows_in_any_company(self) -> None:
        """Encoding inputs one by one gives the rows that encoding them together gives.

        If this fails: let nothing of one input reach the rows of another.
        """
        inputs = self.inputs()
        for put in self.each(self.puts()):
            together = put.encode(inputs)
            alone = [put.encode([value]) for value in inputs]
            rows = [row for one in alone for row in one.rows]
            assert difference(rows, together.rows) == 0, f"{put.name}: rows depend on the inputs beside them."
            assert [r for one in alone for r in one.requests] == together.requests, f"{put.name}: requests differ."

    def test_long_texts_follow_the_rule(self) -> None:
        """A text beyond the context is read in windows, cut, or refused, as the recipe says; a cut is told.

        If this fails: read texts with `reader.read`, pass its notes on to the Output, and count your own tokens in.
        """
        longs = [value for value in self.hard_inputs() if any(len(str(v)) > 1000 for v in dict(value).values())]
        for put in self.forward():
            for value in self.each(longs):
                for rule in ("window", "cut"):
                    encoded = put.encode([value], rule)
                    longest = max((len(row["input_ids"]) for row in encoded.rows), default=0)
                    assert longest <= put.backbone.spec.context, f"{put.name}: {rule} left a row of {longest} tokens."
                [output] = put.decode(encoded, put.run(encoded))
                assert output.notes, f"{put.name}: a text was cut and the output says nothing of it."
                try:
                    put.encode([value], "refuse")
                except TooLong:
                    continue
                raise AssertionError(f"{put.name}: a text beyond the context was not refused.")

    # -- outputs ----------------------------------------------------------------------------------------

    def test_hard_inputs_give_outputs(self) -> None:
        """Empty, long, spaceless and foreign texts either are refused by the Input or give an Output.

        If this fails: `decode` must bear inputs without rows and rows without text; or let the Input refuse them.
        """
        values = self.hard_inputs()
        for put in self.each(self.puts()):
            encoded = put.encode(values)
            for value, side, rows in zip(values, encoded.side, put.run(encoded), strict=True):
                try:
                    output = put.formulation.decode(side, rows, put.state)
                except FunctoryError:
                    raise
                except Exception as error:
                    raise AssertionError(f"{put.name}: {value!r} breaks decode: {error!r}") from error
                assert isinstance(output, put.task.Output), f"{put.name}: decode gave {type(output).__name__}."

    def test_golden_inputs_run(self) -> None:
        """The task gives inputs for replaying: several, one beyond plain English letters, all of which run.

        If this fails: return from `golden_inputs` a handful of Inputs in every script and length that the task bears; from
        `lead` a difference of probabilities, or None.
        """
        task = self.task
        golden = task.golden_inputs(task.learn(self.made_examples()))
        assert len(golden) >= 3, f"{len(golden)} golden inputs; a conversion that does nothing needs more to show."
        assert any(not text.isascii() for value in golden for text in map(str, dict(value).values())), "all are ASCII."
        for put in self.each(self.puts()):
            encoded = put.encode(golden)
            rows = put.run(encoded)
            assert len(put.decode(encoded, rows)) == len(golden)
            for side, one in zip(encoded.side, rows, strict=True) if put.formulation.program == "forward" else ():
                lead = put.formulation.lead(side, one, put.state)
                assert lead is None or 0 <= lead <= 1, f"{put.name}: a lead of {lead!r} is no difference of probabilities."

    def test_any_batch_gives_the_same_outputs(self) -> None:
        """Outputs are the same alone, together and in another order.

        If this fails: the head looks at padding, at other rows, or at positions counted from the end of the batch.
        """
        inputs = self.inputs()
        for put in self.each(self.puts()):
            together = put.run(put.encode(inputs))
            backwards = put.run(put.encode(inputs[::-1]))[::-1]
            alone = [put.run(put.encode([value]))[0] for value in inputs]
            for index, rows in enumerate(together):
                off = max(difference(rows, alone[index]), difference(rows, backwards[index]))
                assert off <= 1e-4, f"{put.name}: input {index} differs by {off:.2g} in another batch."

    def test_many_threads_give_the_same_outputs(self) -> None:
        """Encoding and decoding in many threads at once gives what one gives.

        If this fails: a formulation holds no state besides its construction; keep what belongs to an input in `side`.
        """
        inputs = self.inputs()
        for put in self.each(self.puts()):
            expected = [put.compute([value])[0] for value in inputs[:4]]
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda i: put.compute([inputs[i % 4 % len(inputs)]])[0], range(16)))  # noqa: B023
            for index, output in enumerate(found):
                assert same(output, expected[index % 4 % len(inputs)]), f"{put.name}: outputs differ between threads."

    def test_targets_stand_where_they_say(self) -> None:
        """Each target of an output names a place that the program's outputs have, and a finite number stands there.

        If this fails: index the row's own output: `outputs[row][port][index]`.
        """
        for aim in self.each(self.aims(self.inputs())):
            found = standing(aim.target, aim.rows)
            assert np.isfinite(found).all(), f"{aim.put.name}: {aim.target.name!r} of {aim.value!r} is {found}."

    def test_a_targets_value_is_its_named_score(self) -> None:
        """Raising the number at a target's place raises the target's value, and what the output says of it by name.

        If this fails: `index`, `row` and `port` lead to the number of another label than the target's `name`, or
        `value` reads another place than they name.
        """
        for aim in self.each(self.aims(self.inputs()[:4], most=3)):
            was, now = aim.told(aim.rows), aim.told(raised(aim.target, aim.rows))
            what = f"{aim.put.name}: raising the number of {aim.target.name!r} for {aim.value!r}"
            assert now.value > was.value, f"{what} leaves its value at {now.value:.4g}."
            assert now.score is not None, f"{what} takes it from the output: {now.output!r}."
            if was.score is not None:
                assert now.score > was.score or was.score >= 0.999, (
                    f"{what} changes its score from {was.score:.4g} to {now.score:.4g}."
                )

    # -- learning ---------------------------------------------------------------------------------------

    def test_labels_fit_rows_and_ports(self) -> None:
        """Every row gets its gold arrays, in the gold ports' types and shapes.

        If this fails: return one mapping per row of `encoded`, not per example, and declare it in `gold_ports`.
        """
        examples = self.made_examples()
        for put in self.each(self.supervised()):
            encoded, golds = labelled(put, examples)
            assert len(golds) == len(encoded.rows), f"{put.name}: {len(golds)} labels for {len(encoded.rows)} rows."
            for row, gold in zip(encoded.rows, golds, strict=True):
                clash = gold.keys() & row.keys()
                assert not clash, f"{put.name}: the gold array {min(clash)!r} hides an input of that name."
                ports = put.formulation.gold_ports(put.backbone.spec, put.state)
                undeclared = gold.keys() - {port.name for port in ports}
                assert not undeclared, f"{put.name}: the gold array {min(undeclared)!r} has no port."
                for port in ports:
                    fits_port(put.name, gold, port, len(row["input_ids"]))

    def test_special_tokens_are_not_trained_on(self) -> None:
        """Labels of tokens hold the port's fill, which the loss passes over, at every special token.

        If this fails: start from an array full of the port's fill, and write labels at the text's own tokens only.
        """
        puts = [(put, put.formulation.gold_ports(put.backbone.spec, put.state)) for put in self.supervised()]
        found = [(put, port) for put, ports in puts for port in ports if port.axes[:1] == ("tokens",)]
        for put, port in self.each(found or pytest.skip("the task labels no tokens")):
            before, _, after = put.backbone.tokenizer.frame
            _, golds = labelled(put, self.made_examples())
            for gold in golds:
                array = gold[port.name]
                ends = np.concatenate([array[: len(before)], array[len(array) - len(after) :]])
                assert (ends == port.fill).all(), f"{put.name}: {port.name!r} labels a special token: {ends}."

    def test_the_loss_of_a_batch_is_the_sum_of_its_rows(self) -> None:
        """Loss and count of a padded batch are the sums of each row's own: padding is trained on nowhere.

        If this fails: mask padding in the loss, by the gold port's fill, and return a sum and a count, not a mean.
        """
        import torch

        for put in self.each(self.supervised()):
            encoded, golds = labelled(put, self.made_examples())
            rows = [{**row, **gold} for row, gold in zip(encoded.rows, golds, strict=True)]
            ports = (*put.form.program.inputs, *put.formulation.gold_ports(put.backbone.spec, put.state))
            model = put.form.program.model
            with torch.inference_mode():
                parts = [loss(model, [row], ports) for row in rows]
                total, count = loss(model, rows, ports)
            assert count > 0, f"{put.name}: the loss counts nothing."
            off = abs(total - sum(part for part, _ in parts))
            assert off <= 1e-3 * max(1.0, abs(total)), f"{put.name}: a batch's loss is off by {off:.2g} of {total:.4g}."
            assert count == sum(number for _, number in parts), f"{put.name}: a batch counts other units than its rows."

    def test_a_fitted_function_answers_its_own_examples(self) -> None:
        """Fitted until the loss is next to nothing, the function gives the examples back that it was fitted to.

        If this fails: gold and answer do not speak of the same thing: `label` and `decode` count labels in different
        orders, read rows of other inputs, or `scorer` compares with other examples. Where the loss itself stays, the
        message says so: the examples contradict each other, or `encode` leaves out what decides.
        """
        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        everything, state = np.arange(len(examples)), task.learn(examples)
        right = [self.perfect(example, state) for example in examples]
        best, worse = (
            task.scorer(outputs, examples, state)(everything)[task.metric] for outputs in (right, right[1:] + right[:1])
        )
        for untrained in self.each(self.supervised()[:1]):
            put, first, last = overfit(untrained, self.engine, examples)
            assert last < 0.2 * first, f"{put.name}: the loss on its own examples went from {first:.4g} to {last:.4g} only."
            encoded, _ = labelled(put, examples)
            rows = put.run(encoded)
            tuned = put.formulation.tune(rows, examples, put.state)
            outputs = [put.formulation.decode(side, one, tuned) for side, one in zip(encoded.side, rows, strict=True)]
            found = task.scorer(outputs, examples, tuned)(everything)[task.metric]
            assert found >= best - 0.2 * (best - worse), (
                f"{put.name}: fitted to {len(examples)} examples it scores {found:.4g} on them; right answers score {best:.4g}."
            )

    def test_the_head_gives_the_ports_it_declares(self) -> None:
        """The head is importable, and its outputs have the names, types and shapes of `Formulation.outputs`.

        If this fails: name the head as "package.head:Class", and let `forward` return one array per declared port.
        """
        for put in self.each(self.forward()):
            ports = put.form.program.outputs
            assert ports, f"{put.name}: the formulation declares no outputs."
            encoded = put.encode(self.inputs())
            for row, outputs in zip(encoded.rows, [r for rows in put.run(encoded) for r in rows], strict=True):
                assert outputs.keys() == {port.name for port in ports}, f"{put.name}: outputs are {', '.join(outputs)}."
                for port in ports:
                    fits_port(put.name, outputs, port, len(row["input_ids"]))

    def test_tuning_gives_a_state(self) -> None:
        """What is tuned on held-out outputs is a State that survives JSON.

        If this fails: return a copy of the state, `state.model_copy(update=…)`.
        """
        examples = self.made_examples()
        for put in self.each(self.supervised()):
            encoded, _ = labelled(put, examples)
            tuned = put.formulation.tune(put.run(encoded), examples, put.state)
            assert isinstance(tuned, type(put.state)), f"{put.name}: tune gave {type(tuned).__name__}."
            assert type(tuned).model_validate_json(tuned.model_dump_json()) == tuned

    # -- measuring --------------------------------------------------------------------------------------

    def test_right_outputs_score_best(self) -> None:
        """The task's own metric is highest for the right outputs, lower for wrong ones, and finite on any resample.

        If this fails: compare outputs with the examples' gold in the same order, and divide by nothing that can be 0. The
        metric grows with what is right: of an error take the negative; errors beside it stand in `lower_is_better`.
        """
        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        right = [self.perfect(example, state) for example in examples]
        wrong = right[1:] + right[:1]
        everything = np.arange(len(examples))
        best = task.scorer(right, examples, state)(everything)
        assert task.metric in best, f"the metric {task.metric!r} is not among {', '.join(best)}."
        assert task.metric not in task.lower_is_better, f"{task.metric!r} is in lower_is_better, and functions are chosen by it."
        shifted = task.scorer(wrong, examples, state)(everything)
        worse = shifted[task.metric]
        for name in task.lower_is_better:
            errors = f"{best[name]:.4g} for right outputs, {shifted[name]:.4g} for shifted ones"
            assert best[name] <= shifted[name], f"{name}, which is in lower_is_better, is {errors}."
        assert best[task.metric] > worse, f"right outputs score {best[task.metric]:.4g}, shifted ones {worse:.4g}."
        for put in self.each(self.puts()):
            inputs = [put.task.Input(**{n: getattr(e, n) for n in put.task.Input.model_fields}) for e in examples]
            got = task.scorer(put.compute(inputs), examples, state)(everything)[task.metric]
            assert got <= best[task.metric] + 1e-9, f"{put.name}: untrained outputs score {got:.4g}, above right ones."
        for resample in (everything[:1], np.zeros(5, dtype=np.int64), everything[::-1]):
            for name, value in task.scorer(right, examples, state)(resample).items():
                assert np.isfinite(value), f"{name} of {len(resample)} resampled examples is {value}."

    def test_right_outputs_are_judged_right(self) -> None:
        """The right output of an example is judged right, that of an example with another answer wrong.

        If this fails: give Output and Example a field of one name for the answer, or override `judge`.
        """
        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        right = [self.perfect(example, state) for example in examples]
        judged = [task.judge(output, example, state) for output, example in zip(right, examples, strict=True)]
        for example, one in zip(examples, judged, strict=True):
            assert one.is_right is not False, f"the right output of {example!r} is judged wrong: {one}."
        for output, example, one in zip(right[1:] + right[:1], examples, judged, strict=True):
            found = task.judge(output, example, state)
            assert found.is_right is None or found.is_right is (found.given == one.given), f"{output!r}: {found}."

    def test_metrics_are_told(self) -> None:
        """Where a task tells its metrics, it tells all that its scorer gives, the one that decides among them.

        If this fails: give `metrics` the missing name with a few words on what it is.
        """
        task, examples = self.task, self.made_examples()
        if not task.metrics:
            pytest.skip("the task does not tell its metrics")
        state = task.learn(examples)
        scored = task.scorer([self.perfect(example, state) for example in examples], examples, state)
        lacking = {task.metric, *scored(np.arange(len(examples)))} - task.metrics.keys()
        assert not lacking, f"metrics does not tell {', '.join(sorted(lacking))}."

    def test_every_interval_holds_its_own_value(self) -> None:
        """The metrics of a mixed lot of answers lie within their own intervals.

        If this fails: let `scorer` count the same labels in every resample, all those of the whole, and take the whole's figure
        for what a resample says nothing of; `functory_sdk.Tally` does both.
        """
        from functory.measuring.intervals import evaluate_with_intervals

        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        right = [self.perfect(example, state) for example in examples]
        pairs = zip(right, right[1:] + right[:1], strict=True)
        outputs = [one if index % 3 else other for index, (one, other) in enumerate(pairs)]
        found = evaluate_with_intervals(
            task.scorer(outputs, examples, state), len(examples), seed=0, resamples=200, budget_seconds=60
        )
        for name, metric in found.metrics.items():
            assert metric.low is not None, f"{name} is undefined in every resample."
            assert metric.high is not None
            assert metric.low - 1e-9 <= metric.value <= metric.high + 1e-9, f"{name}: {metric} holds not its own value."

    def test_the_breakdown_is_plain_data(self) -> None:
        """`breakdown` gives rows and a confusion matrix that JSON and the report can hold.

        If this fails: turn numpy's numbers into Python's.
        """
        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        found = task.breakdown([self.perfect(example, state) for example in examples], examples, state)
        json.dumps(dict(found))
        assert found.keys() <= {"per_class", "confusion"}, f"breakdown gives {', '.join(found)}."


def raised(target: Target, rows: Sequence[Row], by: float = 8.0) -> list[Row]:
    """Return the outputs of an input's rows with the numbers at a target's place raised."""
    changed: list[Row] = []
    for index, row in enumerate(rows):
        copies = {name: np.array(array) for name, array in row.items()}
        if target.row is None or index == target.row:
            copies[target.port][target.index] += by
        changed.append(copies)
    return changed


def overfit(put: Put, engine: str, examples: Sequence[Any], steps: int = 150) -> tuple[Put, float, float]:
    """Return the task with every weight fitted to the examples, and the first and the last mean loss."""
    import torch

    from functory.plugins.registry import load

    made, adaptation = load("engines", engine).configure(), Everything()
    model = made.adapt(put.backbone, put.formulation, put.state, adaptation)
    put = replace(put, form=torch_form(made, put.backbone, adaptation, put.task, put.state, model))
    encoded, golds = labelled(put, examples)
    rows = [{**row, **gold} for row, gold in zip(encoded.rows, golds, strict=True)]
    ports = (*put.form.program.inputs, *put.formulation.gold_ports(put.backbone.spec, put.state))
    batch = tensors(pad(rows, ports))
    solver = torch.optim.Adam(model.phi().values(), lr=3e-3)
    losses: list[float] = []
    while len(losses) < steps and (not losses or losses[-1] > 0.01 * losses[0]):
        solver.zero_grad()
        total, count = model.head.loss(model(batch), batch)
        (total / count).backward()
        solver.step()
        losses.append(float((total / count).detach()))
    return put, losses[0], losses[-1]


def guessed(example: type[BaseModel], inputs: type[BaseModel]) -> Iterator[dict[str, Any]]:
    """Make up examples from the fields' types: texts for the inputs, each another, two names or numbers for the rest."""
    from functory_sdk.testing.toy import rows

    for index in range(8):
        made: dict[str, Any] = {}
        for seed, (name, field) in enumerate(example.model_fields.items()):
            row = rows(8, seed if name in inputs.model_fields else 0)[index]
            annotation = plain_type(field.annotation)
            kinds = get_args(annotation) if get_origin(annotation) is not Literal else ()
            plain: Any = annotation if annotation in (str, int, float, bool) else None
            plain = plain or next((kind for kind in (str, bool, int, float) if kind in kinds), None)
            if get_origin(field.annotation) is Literal:
                choices = get_args(field.annotation)
                made[name] = choices[index % len(choices)]
            elif plain is str:
                made[name] = row["text"] if name in inputs.model_fields else row["label"]
            elif plain is not None:
                made[name] = plain(index % 2)
            elif field.is_required():
                raise AssertionError(f"the suite cannot guess {name!r} ({field.annotation}): set `examples`.")
        yield made


def labelled(put: Put, examples: Sequence[Any]) -> tuple[Encoded, list[dict[str, Array]]]:
    """Return the rows of examples and their gold arrays."""
    fields = list(put.task.Input.model_fields)
    encoded = put.encode([put.task.Input(**{name: getattr(one, name) for name in fields}) for one in examples])
    return encoded, put.formulation.label(examples, encoded, put.state)


def loss(model: Any, rows: Sequence[Row], ports: Sequence[Port]) -> tuple[float, float]:
    """Return the sum of the losses of a batch, and what it counts."""
    batch = tensors(pad(rows, ports))
    total, count = model.head.loss(model(batch), batch)
    return float(total), float(count)


def fits_port(name: str, row: Row, port: Port, tokens: int | None = None) -> None:
    """Compare one array of a row with its port.

    :param tokens: the size of the axis ``tokens``; the row's own when None.
    """
    assert port.name in row, f"{name}: a row lacks {port.name!r}."
    array = np.asarray(row[port.name])
    assert array.ndim == len(port.axes), f"{name}: {port.name!r} has {array.ndim} axes, its port {len(port.axes)}."
    assert np.can_cast(array.dtype, port.dtype, "same_kind"), (
        f"{name}: {port.name!r} is {array.dtype}, not {port.dtype}."
    )
    expected = len(row["input_ids"]) if tokens is None else tokens
    for size, axis in zip(array.shape, port.axes, strict=True):
        wanted = expected if axis == "tokens" else axis if isinstance(axis, int) else size
        assert size == wanted, (
            f"{name}: {port.name!r} has shape {array.shape}; its port says {port.axes}, {expected} tokens."
        )


def standing(target: Target, rows: Sequence[Row]) -> Array:
    """Return what stands at a target's place, in its row or in all."""
    chosen = rows if target.row is None else [rows[target.row]]
    return np.asarray([np.asarray(row[target.port])[target.index] for row in chosen])


def same(one: Any, other: Any) -> bool:
    """Whether two typed outputs agree; numbers within 1e-4."""
    return _same(one.model_dump(mode="json"), other.model_dump(mode="json"))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-4
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)

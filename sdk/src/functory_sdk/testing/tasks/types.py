"""What a task says of itself: types, schemas, state, labels."""

from __future__ import annotations

import json

import pytest

from functory.contracts.task import Input, Output, State
from functory.errors import NotSupported
from functory.plugins.registry import entries, load
from functory.running.backbones import open_backbone
from functory_sdk.testing.suite import in_subprocess
from functory_sdk.testing.tasks.made import TINY, TaskChecks, formulations

SEEDS = 2
"""So many other processes are asked, each with an order of its own for what a set holds."""
_LEARN = """
import json
from functools import reduce
from importlib import import_module
task = reduce(getattr, {attributes!r}, import_module({module!r})).configure({options!r})
state = task.learn([task.Example.model_validate(one) for one in {examples!r}])
print(json.dumps({{"state": state.model_dump(mode="json"), "schema": task.output_schema(state)}}))
"""


class TypeChecks(TaskChecks):
    """The types fit together, and what is learned is kept."""

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

    def test_what_suits_it_goes_with_it(self) -> None:
        """With examples or without, or both, it says which backbone and adaptation suit it, and why; they go together.

        If this fails: let `suits` name an adaptation that `puts` what `formulations` offers, or raise `NotSupported` with what
        to do.
        """
        task, found = self.task, 0
        if task.parts:
            pytest.skip("the task is made of functions")
        specs = [open_backbone(reference).spec for reference in {*self.backbones, *TINY}]
        roomy = [spec.model_copy(update={"context": 8192}) for spec in specs]  # some are asked in long prompts alone
        offered = {name for spec in (*specs, *roomy) for name in formulations(task, spec)}
        for has_examples in (True, False):
            try:
                suited = task.suits(has_examples=has_examples)
            except NotSupported as error:
                assert error.do, f"{error.what} It says not what to do."
                continue
            found += 1
            assert suited.why.strip(), f"it says not why {suited.backbone!r} and {suited.adaptation!r} suit it."
            if any(entry.name == suited.adaptation for entry in entries("adaptations")):
                puts = load("adaptations", suited.adaptation).puts
                assert offered & {*puts}, f"{suited.adaptation!r} goes with {puts}, and the task is put as {sorted(offered)}."
        assert found, "nothing suits it: neither with examples nor without."

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

    def test_another_process_learns_and_announces_the_same(self) -> None:
        """Another process learns the same state from the same examples, and gives it the same schema.

        Python orders a set of texts anew in each process: a label that is another number there is another answer, and a
        function whose schema is another there is refused when it is loaded.

        If this fails: sort what comes from a set, in `learn` and in `output_schema`.
        """
        task, entry = self.task, self.entry
        module, _, attribute = entry.value.partition(":")
        if "<locals>" in attribute:
            pytest.skip("the task was made inside a function and cannot be imported anew")
        examples = [example.model_dump(mode="json") for example in self.made_examples()]
        code = _LEARN.format(attributes=attribute.split("."), module=module, options=task.options.model_dump(mode="json"),
                             examples=examples)  # fmt: skip
        state = task.learn(self.made_examples())
        here = {"state": state.model_dump(mode="json"), "schema": task.output_schema(state)}
        for seed in range(SEEDS):
            there = json.loads(in_subprocess(code, PYTHONHASHSEED=str(seed)).splitlines()[-1])
            for what, found in here.items():
                assert there[what] == json.loads(json.dumps(found)), (
                    f"another process gives another {what}: {there[what]!r}, here {found!r}."
                )

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

"""What a task is tried on: examples, inputs, backbones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from functory.contracts.backbone import BackboneSpec
from functory.contracts.formulation import Formulation
from functory.contracts.plain import plain_type
from functory.contracts.task import Task
from functory.contracts.texts import texts_of, with_texts
from functory.errors import NotSupported
from functory.running.forms import torch_form
from functory.running.zero_shot import ZeroShot
from functory_sdk.testing.guarding import overridable
from functory_sdk.testing.suite import ComponentSuite, TorchSuite
from functory_sdk.testing.tasks.putting import Aim, Put, Untrained

HARD = (
    "", " ", "a", "\n\t", "no spaces" * 40, "word " * 300, "价格合理，质量也不错。" * 40, "👩‍🔬 ☕️ naïve", "a\r\nb\x00c",
    "[SEP] <end> </s>", "ﬁne print½",
)  # fmt: skip
"""Texts that a function meets: empty, long, without spaces, in other scripts, with control characters."""

TINY = ("tiny-encoder", "tiny-decoder", "tiny-encoder-decoder")
"""The kit's backbones, one of each architecture."""


class TaskChecks(ComponentSuite, TorchSuite):
    """The part that all checks of a task share."""

    kind: ClassVar[str] = "tasks"
    engine: ClassVar[str] = "torch"
    """The engine that runs it."""
    backbones: ClassVar[Sequence[str]] = TINY
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
        """Return the targets that stand in the inputs' outputs, of each at most so many; skip a check where there are none."""
        found = []
        for put in self.puts():
            encoded = put.encode(inputs)
            for value, side, rows in zip(inputs, encoded.side, put.run(encoded), strict=True):
                output = put.formulation.decode(side, rows, put.state)
                targets = list(put.formulation.targets(output, side, put.state))[:most]
                standing = [one for one in targets if not put.formulation.likened(one, side, rows)]
                found += [Aim(put, value, side, rows, one) for one in standing]
        return found or pytest.skip("the task names no targets")

    def hard_inputs(self) -> list[Any]:
        """Return an input with each hard text in the place of each of its texts, those of lists too, if the Input accepts it."""
        base = self.inputs()[0]
        found = [self.changed(base, path, text) for path in texts_of(base) for text in HARD]
        return [value for value in found if value is not None] or pytest.skip("the Input takes no free text")

    def changed(self, base: Any, path: str, text: str) -> Any:
        """Return an input with another text at a path; None where the Input refuses it, and says so to the caller."""
        try:
            return self.task.Input.model_validate(with_texts(base, {path: text}).model_dump())
        except ValidationError:
            return None

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
            for name, formulation in formulations(task, backbone.spec).items():
                adaptation = ZeroShot() if name in ZeroShot.puts else Untrained()
                engine = load("engines", self.engine).configure()
                model = engine.adapt(backbone, formulation, state, adaptation)
                form = torch_form(engine, backbone, adaptation, name, formulation, state, model)
                found.append(Put(f"{reference}, {name}", task, state, backbone, formulation, form))
        return found

    def forward(self) -> list[Put]:
        """Return the ways in which the task's program is a forward pass over rows; skip a check where there are none."""
        found = [put for put in self.puts() if put.formulation.program == "forward"]
        return found or pytest.skip("the task writes, and has no rows")

    def supervised(self) -> list[Put]:
        """Return the ways in which the task learns from examples."""
        found = [put for put in self.puts() if put.form.put not in ZeroShot.puts and put.formulation.head]
        return found or pytest.skip("the task learns nothing from examples")


def formulations(task: Task[Any], spec: BackboneSpec) -> Mapping[str, Formulation]:
    """Return the ways in which a task can be put to a backbone; none where it says that there is none."""
    try:
        return task.formulations(spec)
    except NotSupported:
        return {}


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
            if annotation in (list[str], tuple[str, ...], Sequence[str]):
                made[name] = [one["text"] for one in rows(2 + index % 3, 8 * seed + index)]
            elif get_origin(field.annotation) is Literal:
                choices = get_args(field.annotation)
                made[name] = choices[index % len(choices)]
            elif plain is str:
                made[name] = row["text"] if name in inputs.model_fields else row["label"]
            elif plain is not None:
                made[name] = plain(index % 2)
            elif field.is_required():
                raise AssertionError(f"the suite cannot guess {name!r} ({field.annotation}): set `examples`.")
        yield made

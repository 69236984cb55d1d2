"""How a task is learned: gold where gold belongs, a loss that adds up, a head that can learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from functory.contracts.batching import pad
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.running.forms import torch_form
from functory_sdk.testing.adaptations import tensors
from functory_sdk.testing.tasks.made import TaskChecks
from functory_sdk.testing.tasks.putting import Everything, Put, fits_port


class LearningChecks(TaskChecks):
    """Examples are taught as they are."""

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


def overfit(put: Put, engine: str, examples: Sequence[Any], steps: int = 150) -> tuple[Put, float, float]:
    """Return the task with every weight fitted to the examples, and the first and the last mean loss."""
    import torch

    from functory.plugins.registry import load

    made, adaptation = load("engines", engine).configure(), Everything()
    model = made.adapt(put.backbone, put.formulation, put.state, adaptation)
    put = replace(put, form=torch_form(made, put.backbone, adaptation, put.form.put, put.formulation, put.state, model))
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

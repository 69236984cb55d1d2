"""How a task is learned: gold where gold belongs, a loss that adds up, a head that can learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from functory.contracts import counted
from functory.contracts.batching import pad
from functory.contracts.rows import Taught
from functory.running.forms import torch_form
from functory_sdk.testing.fitted import tensors
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
            inputs, golds = put.form.program.inputs, put.formulation.gold_ports(put.backbone.spec, put.state)
            clash = {port.name for port in golds} & {"group", *(port.name for port in inputs)}
            assert not clash, f"{put.name}: the gold array {min(clash)!r} hides an input of that name."
            for row in taught(put, examples).rows:
                undeclared = row.keys() - {port.name for port in (*inputs, *golds)}
                assert not undeclared, f"{put.name}: the array {min(undeclared)!r} has no port."
                for port in golds:
                    fits_port(put.name, row, port, row["input_ids"].shape[-1])

    def test_special_tokens_are_not_trained_on(self) -> None:
        """Labels of tokens hold the port's fill, which the loss passes over, at every special token.

        If this fails: start from an array full of the port's fill, and write labels at the text's own tokens only.
        """
        puts = [(put, put.formulation.gold_ports(put.backbone.spec, put.state)) for put in self.supervised()]
        found = [(put, port) for put, ports in puts for port in ports if port.axes[:1] == ("tokens",)]
        for put, port in self.each(found or pytest.skip("the task labels no tokens")):
            before, _, after = put.backbone.tokenizer.frame
            for row in taught(put, self.made_examples()).rows:
                array = row[port.name]
                ends = np.concatenate([array[: len(before)], array[len(array) - len(after) :]])
                assert (ends == port.fill).all(), f"{put.name}: {port.name!r} labels a special token: {ends}."

    def test_the_loss_of_a_batch_is_the_sum_of_its_rows(self) -> None:
        """Losses and weights of a padded batch add up to those of its rows, or of its groups: padding is trained on nowhere.

        If this fails: mask padding in the losses, by the gold port's fill; give each unit its own loss and weight, means of
        nothing; where a loss compares rows, say which in `teach`, and how many it must see in the head's `together`.
        """
        import torch

        for put in self.each(self.supervised()):
            lot, model = taught(put, self.made_examples()), put.form.program.model
            parts = self.seen_together(lot, model.head.together)
            with torch.inference_mode():
                found = [loss(put, lot, part) for part in parts]
                total, weight = loss(put, lot, range(len(lot.rows)))
            assert weight > 0, f"{put.name}: the losses weigh nothing."
            off = abs(total - sum(part for part, _ in found))
            assert off <= 1e-3 * max(1.0, abs(total)), f"{put.name}: a batch's loss is off by {off:.2g} of {total:.4g}."
            off = abs(weight - sum(number for _, number in found))
            assert off <= 1e-3 * weight, f"{put.name}: a batch weighs {off:.2g} other than its rows."

    def seen_together(self, lot: Taught, together: str) -> list[list[int]]:
        """Return the rows that a loss sees at once: each alone, each group; or all, in another order."""
        everything = list(range(len(lot.rows)))
        if together == "batch":
            return [sorted(everything, key=lambda row: (-lot.group[row], row))]
        if together == "row":
            return [[row] for row in everything]
        return [[row for row in everything if lot.group[row] == group] for group in sorted({*lot.group})]

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
            encoded = put.encode(put.inputs_of(examples))
            rows = put.run(encoded)
            tuned = put.formulation.tune(encoded.side, rows, examples, put.state)
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
                    fits_port(put.name, outputs, port, row["input_ids"].shape[-1])

    def test_tuning_gives_a_state(self) -> None:
        """What is tuned on held-out outputs is a State that survives JSON.

        If this fails: return a copy of the state, `state.model_copy(update=…)`.
        """
        examples = self.made_examples()
        for put in self.each(self.supervised()):
            encoded = put.encode(put.inputs_of(examples))
            tuned = put.formulation.tune(encoded.side, put.run(encoded), examples, put.state)
            assert isinstance(tuned, type(put.state)), f"{put.name}: tune gave {type(tuned).__name__}."
            assert type(tuned).model_validate_json(tuned.model_dump_json()) == tuned


def overfit(put: Put, engine: str, examples: Sequence[Any], steps: int = 150) -> tuple[Put, float, float]:
    """Return the task with every weight fitted to the examples, and the first and the last mean loss."""
    import torch

    from functory.plugins.registry import load

    made, adaptation = load("engines", engine).configure(), Everything()
    model = made.adapt(put.backbone, put.formulation, put.state, adaptation)
    put = replace(put, form=torch_form(made, put.backbone, adaptation, put.form.put, put.formulation, put.state, model))
    lot = taught(put, examples)
    batch = batch_of(put, lot, range(len(lot.rows)))
    solver = torch.optim.Adam(model.learned().values(), lr=3e-3)
    losses: list[float] = []
    while len(losses) < steps and (not losses or losses[-1] > 0.01 * losses[0]):
        solver.zero_grad()
        found, weights = model.head.losses(model(batch), batch)
        mean = (found * weights).sum() / weights.sum()
        mean.backward()
        solver.step()
        losses.append(float(mean.detach()))
    return put, losses[0], losses[-1]


def taught(put: Put, examples: Sequence[Any]) -> Taught:
    """Return what the task teaches of examples."""
    return counted.teach(put.formulation, examples, put.inputs_of(examples), put.reader(), put.state)


def batch_of(put: Put, lot: Taught, chosen: Sequence[int]) -> dict[str, Any]:  # Any: torch tensors
    """Return some of the rows as one batch, with their gold arrays and groups."""
    ports = (*put.form.program.inputs, *put.formulation.gold_ports(put.backbone.spec, put.state))
    group = np.unique([lot.group[row] for row in chosen], return_inverse=True)[1]
    return tensors({**pad([lot.rows[row] for row in chosen], ports), "group": group})


def loss(put: Put, lot: Taught, chosen: Sequence[int]) -> tuple[float, float]:
    """Return the weighted sum of the losses of a batch, and of their weights."""
    batch, model = batch_of(put, lot, chosen), put.form.program.model
    losses, weights = model.head.losses(model(batch), batch)
    assert losses.shape == weights.shape and losses.ndim == 1, (
        f"{put.name}: losses of shape {tuple(losses.shape)} and weights of {tuple(weights.shape)}: give (units,) both."
    )
    return float((losses * weights).sum()), float(weights.sum())

"""How a task answers: outputs that no batch and no thread changes, and targets in them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from functory.contracts.formulation import Target
from functory.contracts.rows import Array, Row
from functory.contracts.texts import texts_of
from functory.errors import FunctoryError
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.tasks.made import TaskChecks
from functory_sdk.testing.tasks.putting import same


class AnswerChecks(TaskChecks):
    """Outputs are the same in any company, and say where they come from."""

    def test_hard_inputs_give_outputs(self) -> None:
        """Empty, long, spaceless and foreign texts either are refused by the Input or give an Output.

        If this fails: `decode` must bear inputs without rows and rows without text; or let the Input refuse them.
        """
        values = self.hard_inputs()
        for put in self.each(self.puts()):
            for value, (side, rows) in zip(values, put.trace(put.encode(values)), strict=True):
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
        assert any(not text.isascii() for value in golden for text in texts_of(value).values()), "all are ASCII."
        for put in self.each(self.puts()):
            traced = put.trace(put.encode(golden))
            assert len([put.formulation.decode(side, rows, put.state) for side, rows in traced]) == len(golden)
            for side, one in traced if put.formulation.program == "forward" else ():
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


def raised(target: Target, rows: Sequence[Row], by: float = 8.0) -> list[Row]:
    """Return the outputs of an input's rows with the numbers at a target's place raised."""
    changed: list[Row] = []
    for index, row in enumerate(rows):
        copies = {name: np.array(array) for name, array in row.items()}
        if target.row is None or index == target.row:
            copies[target.port][target.index] += by
        changed.append(copies)
    return changed


def standing(target: Target, rows: Sequence[Row]) -> Array:
    """Return what stands at a target's places, in its row or in all."""
    chosen = rows if target.row is None else [rows[target.row]]
    return np.asarray([np.asarray(row[target.port])[index] for row in chosen for index in (target.index, *target.also)])

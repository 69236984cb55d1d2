"""Losses that compare rows: of a whole step, of groups, of two rows mixed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from looping import Top, loop, stop_at, training_of

from functory_sdk import Event, NotSupported, Port, Run, TrainingError, TrainingOptions
from functory_sdk.testing.fitted import toy_groups
from functory_sdk.testing.tiny import TinyEncoder
from functory_sdk.testing.toy import ToyGroups, ToyState
from functory_sdk.torch import LinearHead
from functory_torch import TorchEngine
from functory_torch.loop import Loop


class Contrast(LinearHead):
    """Which texts of a step have the same gold as each: a loss of all of them at once, and a temperature that learns."""

    together = "batch"

    def __init__(self, width: int) -> None:
        super().__init__(SimpleNamespace(width=width), None, 8)
        self.temperature = torch.nn.Parameter(torch.ones(()))

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"vector": torch.nn.functional.normalize(self.scores(features), dim=-1)}

    def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
        vectors, gold = outputs["vector"], batch["gold"]
        others = ~torch.eye(len(gold), dtype=torch.bool)
        likely = (vectors @ vectors.T * self.temperature.exp()).masked_fill(~others, -1e9).log_softmax(-1)
        same = (gold[:, None] == gold) & others
        return -(likely * same).sum(-1) / same.sum(-1).clamp(min=1), torch.ones(len(gold))


def contrast(folder: Path, emit: Callable[[Event], None] = lambda event: None, **options: Any) -> Loop:
    """Return a loop over a head that looks at all rows of a step."""
    made = loop(folder, dev=False, epochs=1, batch_rows=16, emit=emit, **options)
    torch.manual_seed(0)
    made.model.head = Contrast(made.model.network.spec.width)
    made.model.outputs = (Port("vector", "float32", (8,)),)
    made.__init__(training_of(made), made.options)
    return made


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_loss_of_the_whole_step_has_the_same_gradients_however_small_a_pass_is(cut: int, tmp_path: Path) -> None:
    whole, kept, cached = (contrast(tmp_path / name, cut=cut, dropout=0.0) for name in ("whole", "kept", "cached"))
    rows = whole.objective.steps(0)[0]
    for one, budget in ((whole, 10**6), (kept, 24), (cached, 24)):
        one.model.eval()
        one.objective.budget = budget
    cached.objective.kept = 0
    assert (len(list(whole.objective.passes(rows))), len(list(cached.objective.passes(rows))) > 4) == (1, True)
    ran: list[Any] = []
    for one in (kept, cached):
        one.model.head.register_forward_hook(lambda *given, one=one: ran.append(one))
    losses = [one.objective.backward(rows, 1) for one in (whole, kept, cached)]
    assert ran.count(cached) == 2 * ran.count(kept), "a small step is computed again"
    for other, loss in ((kept, losses[1]), (cached, losses[2])):
        assert losses[0] == pytest.approx(loss, rel=1e-5)
        for name, parameter in whole.phi.items():
            assert parameter.grad.abs().max() > 0, name
            torch.testing.assert_close(other.phi[name].grad, parameter.grad, atol=1e-5, rtol=1e-4)  # processors differ by 1e-6


def test_what_is_dropped_in_the_first_pass_is_dropped_in_the_second(tmp_path: Path) -> None:
    made = contrast(tmp_path, dropout=0.5)
    made.objective.budget, made.objective.kept = 24, 0
    seen: dict[bool, list[Any]] = {False: [], True: []}
    made.model.head.register_forward_hook(
        lambda head, given, outputs: seen[torch.is_grad_enabled()].append(outputs["vector"].detach().clone())
    )
    made.model.train()
    made.objective.backward(made.objective.steps(0)[0], 1)
    assert len(seen[False]) == len(seen[True]) > 4
    for first, second in zip(seen[False], seen[True], strict=True):
        assert torch.equal(first, second)


def test_a_run_with_cached_gradients_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    def small(folder: Path, emit: Callable[[Event], None] = lambda event: None) -> Loop:
        made = contrast(folder, emit=emit, checkpoint_steps=1, dropout=0.3)
        made.objective.budget, made.objective.kept = 24, 0
        return made

    whole = small(tmp_path / "whole")
    whole.run()
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path / "parts", stop_at(2)).run()
    again = small(tmp_path / "parts")
    again.run()
    for name, parameter in whole.phi.items():
        assert torch.equal(parameter, again.phi[name]), name


def grouped_loop(folder: Path, **options: Any) -> Loop:
    """Return a loop over groups of two to four rows, whose head fails where it sees part of one."""
    backbone, engine = TinyEncoder(), TorchEngine()
    model = engine.adapt(backbone, ToyGroups(), ToyState(labels=("no", "yes")), Top(2), seed=1)
    run = Run(folder / "run", folder / "store", 0)
    given = {"epochs": 2, "batch_rows": 9, "learning_rate": 1e-3, **options}
    return Loop(engine.session(model, toy_groups(backbone, 64), None, run), TrainingOptions(**given))


def test_groups_are_parted_by_no_step_and_no_pass(tmp_path: Path) -> None:
    made = grouped_loop(tmp_path)
    made.objective.budget = 1  # each group alone
    fit = made.run()
    assert fit.metrics["loss"] < np.log(4)
    groups = [{made.train.group[row] for row in step} for step in made.objective.steps(0)]
    assert sum(map(len, groups)) == len(set().union(*groups)), "a group is in two steps"
    assert {row for step in made.objective.steps(0) for row in step} == set(range(len(made.train.rows)))
    assert all(6 <= len(step) <= 12 for step in made.objective.steps(1)[:-1]), "some nine rows"


def test_rows_in_other_groups_make_another_run(tmp_path: Path) -> None:
    grouped_loop(tmp_path).run()
    other = grouped_loop(tmp_path)
    other.train.group = other.train.group[1:] + other.train.group[:1]
    again = Loop(training_of(other), other.options)
    with pytest.raises(TrainingError, match="data: "):
        again.run()


def test_mixup_mixes_features_and_losses(tmp_path: Path) -> None:
    made = loop(tmp_path, cut=5, dev=False, dropout=0.0, mixup=0.4)
    rows, objective, head = list(range(8)), made.objective, made.model.head
    [generator] = [np.random.default_rng((0, 3, 0))]
    share, other = generator.beta(0.4, 0.4), generator.permutation(8)
    features, batch = objective.source.features(rows)
    outputs = head(share * features + (1 - share) * features[other], batch)
    nll = [-outputs["scores"][range(8), gold] for gold in (batch["gold"], batch["gold"][other])]
    expected = share * nll[0].sum() + (1 - share) * nll[1].sum()
    loss, weight = (one.detach() for one in objective._mixed(rows, 3, 0))
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float(weight) == pytest.approx(8)
    made.run()
    with pytest.raises(NotSupported, match=r"mixup mixes the features of two rows, and ToyGroupHead reads the pooled of a group"):
        grouped_loop(tmp_path / "groups", mixup=0.4)

"""The loop finds what silently does nothing, tells what happens, and refuses to go on where other bits would come out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from functory_sdk import (
    Adaptation,
    Event,
    NoOptions,
    NotSupported,
    Port,
    Reader,
    Run,
    Taught,
    TrainingError,
    TrainingOptions,
    pad,
)
from functory_sdk.testing.fitted import toy_groups, toy_rows
from functory_sdk.testing.tiny import TinyEncoder, TinyEncoderDecoder
from functory_sdk.testing.toy import ToyGroups, ToyState, ToyTask
from functory_sdk.torch import LinearHead, Tokens, own
from functory_sdk.torch.shapes import PLAIN
from functory_torch import TorchEngine, headfirst
from functory_torch.loop import Loop
from functory_torch.schedule import batches, evaluation_steps, rate
from functory_torch.schedule import length as length_of
from functory_torch.sources import FromFeatures, FromStates, Whole


class Top:
    """Trains the layers from a cut point on."""

    beside, merge = (), Adaptation.merge

    def __init__(self, cut: int) -> None:
        self._cut = cut

    def cut(self, spec: Any) -> int:
        return self._cut

    def crown(self, head: Any) -> Any:
        """Leaves the head as it is."""
        return head

    def attach(self, network: Any) -> None:
        own(torch.nn.ModuleList(network.blocks[self._cut - 1 :]))


def loop(
    folder: Path,
    *,
    cut: int = 2,
    seed: int = 0,
    dev: bool = True,
    emit: Callable[[Event], None] = lambda e: None,
    adaptation: Any = None,
    **options: Any,
) -> Loop:
    backbone, engine, task = TinyEncoder(), TorchEngine(), ToyTask()
    model = engine.adapt(backbone, task, ToyState(labels=("no", "yes")), adaptation or Top(cut), seed=1)
    rows = toy_rows(backbone, 64)
    held = Taught(rows.rows[48:], rows.owner[48:], score=lambda outputs: {"one": 1.0}) if dev else None
    run = Run(folder / "run", folder / "store", seed, emit)
    given = {"epochs": 2, "batch_rows": 8, "learning_rate": 1e-3, "checkpoint_steps": 3, **options}
    training = engine.session(model, Taught(rows.rows[:48], rows.owner[:48]), held, run)
    return Loop(training, TrainingOptions(**given))


def test_stored_states_and_the_whole_pass_give_the_same_outputs(tmp_path: Path) -> None:
    stored = loop(tmp_path)
    assert isinstance(stored.sources[0], FromStates)
    assert isinstance(loop(tmp_path, cut=1).sources[0], Whole)
    assert isinstance(loop(tmp_path, cut=5).sources[0], FromFeatures)
    whole = Whole(stored.model, stored.train, torch.device("cpu"))
    with torch.inference_mode():
        for rows in ([0, 1, 2], [40], [7, 33, 5, 21]):
            one, other = stored.sources[0].run(rows)[0]["scores"], whole.run(rows)[0]["scores"]
            assert (one - other).abs().max() < 1e-5


def test_the_crown_is_in_training_mode_and_the_trunk_is_not(tmp_path: Path) -> None:
    seen = loop(tmp_path)
    modes: list[list[bool]] = []
    seen.model.head.register_forward_pre_hook(
        lambda *_: modes.append([b.training for b in seen.model.network.blocks]) if seen.model.head.training else None
    )
    seen.run()
    assert modes
    assert all(mode == [False, True, True] for mode in modes)


def test_bf16_learns_what_fp32_learns_and_keeps_its_weights_in_fp32(tmp_path: Path) -> None:
    exact, rough = (loop(tmp_path / name, precision=name, dropout=0.0, dev=False) for name in ("fp32", "bf16"))
    losses = [one.run().metrics["loss"] for one in (exact, rough)]
    assert losses[0] != losses[1], "bf16 was not used"
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert {tensor.dtype for tensor in rough.phi.values()} == {torch.float32}


def test_events_say_what_happens(tmp_path: Path) -> None:
    events: list[Event] = []
    fit = loop(tmp_path, emit=events.append).run()
    steps = [event for event in events if event.kind == "step"]
    assert [event.step for event in steps] == list(range(1, 13))
    assert set(steps[0].values) == {"loss", "learning_rate", "rows_per_second"}
    kinds = [event.kind for event in events]
    assert (kinds.count("epoch"), kinds.count("metric")) == (2, 4)
    assert "checkpoint" in kinds
    assert fit.metrics["best_step"] == 3, "the first of equals is the best"
    assert len(fit.history) == 4


def test_training_stops_early_where_dev_gains_nothing(tmp_path: Path) -> None:
    fit = loop(tmp_path, epochs=20, patience=2).run()
    assert fit.metrics["steps"] == 9
    assert fit.notes == ["stopped early after 1.5 of 20 epochs."]


def test_another_seed_is_refused_by_a_checkpoint_with_what_differs(tmp_path: Path) -> None:
    loop(tmp_path).run()
    with pytest.raises(TrainingError, match=r"seed: 0 then, 1 now") as caught:
        loop(tmp_path, seed=1).run()
    assert "remove" in caught.value.do


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    whole = loop(tmp_path / "whole")
    whole.run()
    stopped = loop(tmp_path / "damaged", emit=_stop_at(8))
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    newest = max((tmp_path / "damaged" / "run" / "checkpoints").iterdir())
    content = bytearray((newest / "tensors.safetensors").read_bytes())
    content[-1] ^= 1
    (newest / "tensors.safetensors").write_bytes(bytes(content))
    again = loop(tmp_path / "damaged")
    again.run()
    for name, parameter in whole.phi.items():
        assert torch.equal(parameter, again.phi[name]), name


def test_at_most_two_checkpoints_are_kept(tmp_path: Path) -> None:
    loop(tmp_path, checkpoint_steps=1).run()
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2


def test_a_loss_that_is_not_finite_names_step_and_rows(tmp_path: Path) -> None:
    broken = loop(tmp_path)
    head = broken.model.head
    losses = head.losses
    head.losses = lambda outputs, batch: (
        losses(outputs, batch)[0] * (float("nan") if broken.at.step == 2 else 1),
        losses(outputs, batch)[1],
    )
    with pytest.raises(TrainingError, match="the loss is nan at step 3") as caught:
        broken.run()
    assert caught.value.where.startswith("rows ")


def test_a_part_of_phi_that_no_gradient_reaches_is_named(tmp_path: Path) -> None:
    broken = loop(tmp_path)
    extra = torch.nn.Parameter(torch.ones(2))
    broken.model.network.register_parameter("idle", extra)
    broken.__init__(_training(broken), broken.options)  # φ is what it is when a loop begins
    with pytest.raises(TrainingError, match=r"no gradient reached network\.idle"):
        broken.run()


def test_a_frozen_tensor_that_is_changed_is_named(tmp_path: Path) -> None:
    broken = loop(tmp_path)
    name, frozen = next((n, p) for n, p in broken.model.named_parameters() if not p.requires_grad)
    broken.run_.emit = lambda event: frozen.data.add_(1) if event.step == 5 else None
    with pytest.raises(TrainingError, match="is frozen and was changed") as caught:
        broken.run()
    assert name in caught.value.what


class OnlyInTraining:
    """Adds a vector to each layer's output while it is trained, and nothing afterwards."""

    beside, merge = (), Adaptation.merge

    def cut(self, spec: Any) -> int:
        return 1

    def crown(self, head: Any) -> Any:
        """Leaves the head as it is."""
        return head

    def attach(self, network: Any) -> None:
        for block in network.blocks:
            block.register_parameter("added", torch.nn.Parameter(torch.zeros(network.spec.width)))
            block.register_forward_hook(lambda block, given, hidden: hidden + block.added if block.training else hidden)


def test_phi_without_an_effect_is_told(tmp_path: Path) -> None:
    broken = loop(tmp_path, adaptation=OnlyInTraining())
    with pytest.raises(TrainingError, match="what was learned in network has no effect on the outputs"):
        broken.run()


def test_a_loss_that_stays_is_told(tmp_path: Path) -> None:
    broken = loop(tmp_path, dev=False)
    head = broken.model.head
    losses = head.losses

    def by_itself(outputs: Any, batch: Any) -> tuple[Any, Any]:
        found, weights = losses(outputs, batch)
        return found / found.detach(), weights  # its gradient moves φ, its value says nothing

    head.losses = by_itself
    with pytest.raises(TrainingError, match=r"the loss was 1\.0 at every step"):
        broken.run()


def test_every_row_comes_once_in_an_epoch_whatever_its_place() -> None:
    epoch = batches(500, 16, seed=3, epoch=1)
    assert sorted(row for batch in epoch for row in batch) == list(range(500))
    assert {len(batch) for batch in epoch} == {16, 4}
    assert epoch == batches(500, 16, seed=3, epoch=1)
    assert epoch != batches(500, 16, seed=3, epoch=2)


def test_a_step_that_is_cut_gives_the_gradients_of_the_whole(tmp_path: Path) -> None:
    whole, cut = (
        loop(tmp_path / name, dropout=0.0, dev=False, epochs=1, head_first=False) for name in ("whole", "cut")
    )
    cut.objective.budget = 16
    assert max(cut.lengths) < 16 < sum(cut.lengths[:8])
    for one in (whole, cut):
        for module in one.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        one.run()
    for name, tensor in whole.phi.items():
        assert (tensor - cut.phi[name]).abs().max() < 1e-4, name


# -- what losses must see together -------------------------------------------------------------------------------


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
    made.__init__(_training(made), made.options)
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
            torch.testing.assert_close(other.phi[name].grad, parameter.grad, atol=1e-6, rtol=1e-4)


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
        small(tmp_path / "parts", _stop_at(2)).run()
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
    again = Loop(_training(other), other.options)
    with pytest.raises(TrainingError, match="data: "):
        again.run()


def test_a_last_step_of_a_whole_batch_loss_is_no_smaller_than_the_others() -> None:
    sizes = [len(part) for part in batches(33, 16, 0, 0, is_even=True)]
    assert sizes == [11, 11, 11]
    assert [len(part) for part in batches(33, 16, 0, 0)] == [16, 16, 1]


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


def test_the_rate_rises_and_falls_in_straight_lines() -> None:
    rates = [rate(step, 10, 0.2) for step in range(1, 11)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[2:] == pytest.approx([1 - index / 8 for index in range(8)])
    assert evaluation_steps(7, 7, TrainingOptions(epochs=1, evaluations=2)) == {4, 7}
    assert evaluation_steps(7, 14, TrainingOptions(epochs=2, evaluations=2)) == {4, 7, 11, 14}
    assert evaluation_steps(1, 1, TrainingOptions(epochs=1, evaluations=5)) == {1}


def test_few_rows_are_passed_over_as_often_as_the_least_steps_need_and_many_no_longer_than_the_most() -> None:
    options = TrainingOptions(epochs=3, evaluations=2, least_steps=20, most_steps=30)
    assert [length_of(per_epoch, options) for per_epoch in (1, 7, 50)] == [20, 21, 30]
    assert evaluation_steps(1, 20, options) == {4, 7, 10, 14, 17, 20}
    assert evaluation_steps(50, 30, options) == {5, 10, 15, 20, 25, 30}


def test_a_run_ends_after_its_steps_whatever_its_epochs_say(tmp_path: Path) -> None:
    for options, steps in (({"least_steps": 8, "epochs": 1}, 8), ({"most_steps": 3, "epochs": 4}, 3)):
        fit = loop(tmp_path / str(steps), dev=False, **options).run()
        assert fit.metrics["steps"] == steps


# -- the head first: fitted to the backbone's features before φ's first step ----------------------------------


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_training_begins_with_a_head_that_reads_the_features(cut: int, tmp_path: Path) -> None:
    first: dict[bool, float] = {}
    for head_first in (True, False):
        events: list[Event] = []
        loop(tmp_path / str(head_first), cut=cut, emit=events.append, dropout=0.0, head_first=head_first).run()
        first[head_first] = next(event.values["loss"] for event in events if event.kind == "step")
    assert first[False] > 0.6, "a head that was drawn knows nothing of two labels"
    assert first[True] < first[False] - 0.03


def test_its_map_is_the_optimum_on_the_features_as_they_are(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    one = loop(tmp_path, dev=False)
    headfirst.fit_head_first(one.sources[0], one.lengths, 64, 0)
    with torch.no_grad():
        features = one.sources[0].features(range(48))[0].numpy()
        probabilities = one.sources[0].run(range(48))[0]["scores"].exp().numpy()
    gold = np.array([int(row["gold"]) for row in one.train.rows])
    scaled = (features - features.mean(0)) / features.std(0)
    # two maps, one for each label, are penalised half as much as their difference
    peer = LogisticRegression(C=2 / headfirst.PRIOR, max_iter=5000, tol=1e-8).fit(scaled, gold)
    np.testing.assert_allclose(probabilities, peer.predict_proba(scaled), atol=2e-3)


class Tags(LinearHead):
    """Three tags for each token."""

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"scores": torch.log_softmax(self.scores(features), -1)}

    def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
        scores, gold = outputs["scores"].reshape(-1, 3), batch["gold"].reshape(-1)
        losses = torch.nn.functional.nll_loss(scores, gold, ignore_index=-100, reduction="none")
        return losses, (gold != -100).float()


def tagged(tmp_path: Path, fill: int) -> Whole:
    """Return rows whose tokens have a gold by their ids, the first and last of each none."""
    model = loop(tmp_path, cut=1, dev=False).model
    model.head = Tags(SimpleNamespace(width=model.network.spec.width), None, 3, Tokens())
    model.gold = (Port("gold", "int64", ("tokens",), -100),)
    rows = []
    for length in (5, 9, 3, 12, 7, 4):
        ids = np.arange(1, length + 1, dtype=np.int64) % 11 + 5
        gold = ids % 3
        gold[[0, -1]] = fill
        rows.append({"input_ids": ids, "attention_mask": np.ones(length, np.int64), "gold": gold})
    known = [port.name for port in model.inputs]
    rows = [{name: row.get(name, np.zeros_like(row["input_ids"])) for name in [*known, "gold"]} for row in rows]
    return Whole(model, Taught(rows, list(range(6))), torch.device("cpu"))


def test_tokens_without_gold_and_padding_are_left_out(tmp_path: Path) -> None:
    source = tagged(tmp_path, fill=-100)
    block = source.block(range(6))
    assert block.features.shape == (40 - 12, source.model.network.spec.width)
    assert (block.gold["gold"] >= 0).all()
    assert len(tagged(tmp_path, fill=1).block(range(6)).features) == 40
    lengths = [len(row["input_ids"]) for row in source.rows]
    loss = headfirst.fit_head_first(source, lengths, 16, 0)
    assert loss is not None
    assert loss < np.log(3), "it reads the tokens"
    only_ignored = tagged(tmp_path, fill=-100)
    for row in only_ignored.rows:
        row["gold"][:] = -100
    assert headfirst.fit_head_first(only_ignored, lengths, 16, 0) is None


def test_enough_rows_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = loop(tmp_path, dev=False)
    seen: list[int] = []
    features = one.sources[0].features
    monkeypatch.setattr(one.sources[0], "features", lambda rows: (seen.extend(rows), features(rows))[1])
    monkeypatch.setattr(headfirst, "UNITS", 1)
    one.lengths = one.lengths * 4
    headfirst.fit_head_first(one.sources[0], one.lengths[:48], 64, 0)
    assert sorted(seen) == list(range(48)), "the first 64 rows are one part"


# -- golds of any shape, targets of any length -----------------------------------------------------------------


class Candidates(LinearHead):
    """Whether each of a token's candidates is right: a gold of two axes that both vary, filled with -7."""

    def forward(self, features: Any, batch: Any) -> dict[str, Any]:
        return {"scores": self.scores(features)}

    def losses(self, outputs: Any, batch: Any) -> tuple[Any, Any]:
        gold = batch["gold"]  # (batch, tokens, candidates)
        counted = gold != -7
        scores = outputs["scores"].expand(gold.shape)[counted]
        losses = torch.nn.functional.binary_cross_entropy_with_logits(scores, gold[counted], reduction="none")
        return losses, torch.ones_like(losses)


def with_candidates(tmp_path: Path) -> Whole:
    """Return rows of unequal lengths, whose tokens have unequally many candidates; the first token of each has none."""
    model = loop(tmp_path, cut=1, dev=False).model
    model.head = Candidates(SimpleNamespace(width=model.network.spec.width), None, 1, Tokens())
    model.gold = (Port("gold", "float32", ("tokens", "candidates"), -7),)
    rows = []
    for length, candidates in ((5, 2), (9, 1), (3, 4)):
        ids = np.arange(1, length + 1, dtype=np.int64) % 11 + 5
        gold = np.repeat((ids % 2).astype(np.float32)[:, None], candidates, axis=1)
        gold[0] = -7
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        rows.append({**inputs, "gold": gold})
    return Whole(model, Taught(rows, [0, 1, 2]), torch.device("cpu"))


def test_golds_are_padded_by_their_ports_on_every_axis(tmp_path: Path) -> None:
    source = with_candidates(tmp_path)
    padded = source.gold(range(3))
    assert padded["gold"].shape == (3, 9, 4)
    for index, row in enumerate(source.rows):
        tokens, candidates = row["gold"].shape
        np.testing.assert_array_equal(padded["gold"][index, :tokens, :candidates], row["gold"])
        assert (padded["gold"][index, tokens:] == -7).all()
        assert (padded["gold"][index, :, candidates:] == -7).all()
    with torch.no_grad():
        outputs, batch = source.run(range(3))
        total, count = PLAIN.summed(source.model.head, outputs, batch)
        alone = [PLAIN.summed(source.model.head, *source.run([index])) for index in range(3)]
    assert int(count) == 4 * 2 + 8 + 2 * 4 == sum(int(one[1]) for one in alone)
    assert float(total) == pytest.approx(sum(float(one[0]) for one in alone), rel=1e-5)


def test_the_head_is_fitted_first_to_golds_of_two_axes_too(tmp_path: Path) -> None:
    source = with_candidates(tmp_path)
    assert len(source.block(range(3)).features) == 4 + 8 + 2, "the first token of each row says nothing"
    loss = headfirst.fit_head_first(source, [5, 9, 3], 8, 0)  # in more than one part, of unequal axes
    assert loss is not None
    assert loss < np.log(2)
    source.model.gold = (*source.model.gold, Port("weight"))
    assert headfirst.fit_head_first(source, [5, 9, 3], 8, 0) is None, "a gold of the row belongs to no token"


def test_an_array_that_no_port_declares_is_named(tmp_path: Path) -> None:
    source = with_candidates(tmp_path)
    rows = [{**row, "extra": row["input_ids"]} for row in source.rows]
    with pytest.raises(TrainingError, match="rows hold extra, which no port declares"):
        Whole(source.model, Taught(rows, [0, 1, 2]), torch.device("cpu"))


class Reading(Adaptation[NoOptions]):
    """A head on an encoder-decoder's states."""

    def cut(self, spec: Any) -> int:
        return int(spec.points)


def test_targets_of_unequal_lengths_give_in_one_batch_what_each_gives_alone() -> None:
    backbone, engine, task = TinyEncoderDecoder(), TorchEngine(), ToyTask()
    reader = Reader(backbone.tokenizer, backbone.spec)
    model = engine.adapt(backbone, task, ToyState(labels=("no", "yes")), Reading())
    with torch.no_grad():
        model.head.linear.weight.mul_(50)
    texts = ("we saw the good film in the rain", "bad", "the day was very fine")
    targets = ([0], [0, 9, 4, 12, 7], [0, 6, 5])
    sources = [tokens.ids for tokens in reader.tokenizer.tokens(texts)]
    rows = [reader.row(ids, target=np.asarray(one)) for ids, one in zip(sources, targets, strict=True)]

    def scores(some: list[Any]) -> Any:
        with torch.inference_mode():
            return model({name: torch.from_numpy(array) for name, array in pad(some, model.inputs).items()})["scores"]

    alone = torch.cat([scores([row]) for row in rows])
    assert (alone[0] - alone[1]).abs().max() > 0.1, "the target is read"
    torch.testing.assert_close(scores(rows), alone, atol=1e-5, rtol=1e-5)


# -- exact resume ----------------------------------------------------------------------------------------------


def _stop_at(step: int) -> Callable[[Event], None]:
    def stop(event: Event) -> None:
        if event.kind == "step" and event.step == step:
            raise KeyboardInterrupt

    return stop


def _training(made: Loop) -> Any:
    from functory_torch.training import TorchTraining

    return TorchTraining(made.model, made.train, made.dev, made.run_)


@pytest.mark.parametrize("cut", [0, 2])
def test_features_of_a_crown_are_those_that_its_phi_makes_now(tmp_path: Path, cut: int) -> None:
    backbone, engine = TinyEncoder(), TorchEngine()
    model = engine.adapt(backbone, ToyTask(), ToyState(labels=("no", "yes")), Top(max(1, cut)), seed=1)
    model.cut, rows = cut, toy_rows(backbone, 20)
    run = Run(tmp_path / "run", tmp_path / "store", 0)
    with engine.session(model, rows, None, run) as session:
        before = session.features(rows.rows)
        with torch.no_grad():
            for parameter in model.network.blocks[-1].parameters():
                parameter.mul_(1.5)
        now = session.features(rows.rows)
        each = [{name: torch.from_numpy(one) for name, one in pad([row], model.inputs).items()} for row in rows.rows]
        alone = torch.cat([model.features({}, batch) for batch in each])
    assert (now - alone).abs().max() < 1e-4
    assert (now - before).abs().max() > 1e-2


def test_a_stage_has_checkpoints_of_its_own(tmp_path: Path) -> None:
    backbone, engine = TinyEncoder(), TorchEngine()
    model = engine.adapt(backbone, ToyTask(), ToyState(labels=("no", "yes")), Top(2), seed=1)
    rows = toy_rows(backbone, 20)
    with engine.session(model, rows, rows, Run(tmp_path / "run", tmp_path / "store", 0)) as session:
        stage = session.stage("first", model, rows)
        stage.loop(TrainingOptions(epochs=1))
    assert stage.dev is None
    assert [place.name for place in (tmp_path / "run").iterdir()] == ["first"]


HOT = {"learning_rate": 1.0, "epochs": 60, "warmup": 0.9}
"""A rate that is too high when it is reached: the loss falls, and climbs."""


def hot(folder: Path, emit: Callable[[Event], None] = lambda event: None) -> tuple[Any, TrainingOptions]:
    """Return a session and options with which training diverges."""
    made = loop(folder, dev=False, emit=emit, **HOT)
    return _training(made), made.options


def test_training_that_diverges_begins_anew_and_slower_and_says_so(tmp_path: Path) -> None:
    told: list[Event] = []
    training, options = hot(tmp_path, told.append)
    fit = training.loop(options)
    assert "diverged at a learning rate of 1:" in fit.notes[0]
    assert "anew at 0.25" in fit.notes[0]
    assert fit.metrics["loss"] < 0.3
    assert [event.text for event in told if event.kind == "note"][: len(fit.notes)] == fit.notes


def test_what_is_broken_off_while_it_goes_slower_ends_in_the_same_bits(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(event: Event) -> None:
        nonlocal slower
        slower += event.kind == "note"
        if slower and event.kind == "step" and event.step == 40:
            raise Killed

    slower = 0
    whole, options = hot(tmp_path / "whole")
    whole.loop(options)
    training, _ = hot(tmp_path / "broken", kill)
    with pytest.raises(Killed):
        training.loop(options)
    again, _ = hot(tmp_path / "broken")
    again.loop(options)
    for name, tensor in whole.model.phi().items():
        assert torch.equal(tensor, again.model.phi()[name]), name


def test_training_that_diverges_however_slow_is_an_error_that_names_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functory_torch.training.SLOWER", 0)
    training, options = hot(tmp_path)
    with pytest.raises(TrainingError, match="learning rate of 1:"):
        training.loop(options)

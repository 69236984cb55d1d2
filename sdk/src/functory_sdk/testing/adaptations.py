"""What an adaptation owes: φ that is complete, small where it says so, drawn from the seed, felt, and apart from the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import Backbone
from functory.contracts.batching import pad
from functory.contracts.engine import Run
from functory.contracts.putting import chosen
from functory.contracts.rows import Array, Row, Taught
from functory.errors import NotSupported
from functory.reading.reader import Reader
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.generators import generators_untouched
from functory_sdk.testing.suite import ComponentSuite, TorchSuite
from functory_sdk.testing.toy import ToyExample, ToyGroups, ToyState, ToyTask
from functory_sdk.testing.toy import rows as toy_texts

SMALL = 0.2
"""The largest part of θ that a small φ may be, on a network 256 wide with 6 layers."""
BRIEF = {"epochs": 3, "batch_rows": 8, "warmup": 0.0, "learning_rate": 5e-3}
"""How the suite trains, where the options have such fields and the test class says nothing else."""

PROBES = ("we saw the good film in the rain", "a", "bad and poor", "the day was very fine and it is night")
"""Texts of unequal lengths, one of them a single letter."""


@dataclass
class Fitted:
    """A model with φ, and what it was made from."""

    engine: Any  # Any: an engine component, whose models are torch modules
    backbone: Backbone[Any]
    adaptation: Adaptation[Any]
    model: Any  # Any: a functory_sdk.torch.Model

    @property
    def phi(self) -> dict[str, Array]:
        """φ as the engine stores it."""
        return {name: array.copy() for name, array in self.engine.phi(self.model).items()}

    def outputs(self, rows: Sequence[Row]) -> list[Row]:
        """Return the outputs of rows, each row run alone."""
        return [self.batch([row])[0] for row in rows]

    def batch(self, rows: Sequence[Row]) -> list[Row]:
        """Return the outputs of rows run as one batch."""
        import torch

        with torch.inference_mode():
            outputs = self.model(tensors(pad(rows, self.model.inputs)))
        return [{name: value[index].numpy() for name, value in outputs.items()} for index in range(len(rows))]


class AdaptationSuite(ComponentSuite, TorchSuite):
    """Inherit it, and name the adaptation in `component`.

    The adaptation is attached to tiny backbones and fitted to a toy task. It needs an engine that trains.
    """

    kind: ClassVar[str] = "adaptations"
    engine: ClassVar[str] = "torch"
    """The engine that trains."""
    backbones: ClassVar[Sequence[str]] = ("tiny-encoder", "tiny-decoder", "tiny-encoder-decoder")
    """The backbones it is tried on; one that it refuses with `NotSupported` is passed over, but not all of them."""

    _fits: ClassVar[dict[str, Fitted]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._fits = {}

    def configured(self, **options: Any) -> Any:
        known = self.load().Options.model_fields
        brief = {name: value for name, value in BRIEF.items() if name in known}
        return super().configured(**{**brief, **self.options, **options})

    def attach(
        self,
        backbone: str,
        seed: int = 0,
        adaptation: Adaptation[Any] | None = None,
        task: ToyTask | None = None,
        **options: Any,
    ) -> Fitted:
        """Return a model with untrained φ on a tiny backbone.

        :param adaptation: what attaches it, where it is not the one with the suite's options.
        :param task: what is put to the backbone; the toy task when None.
        :param options: of the backbone.
        """
        from functory.plugins.registry import load
        from functory.running.backbones import open_backbone

        engine = load("engines", self.engine).configure()
        opened, adaptation = open_backbone(backbone, options), adaptation or self.configured()
        task = task or ToyTask()
        state = ToyState(labels=("no", "yes"))
        _, formulation = chosen(task, opened.spec, adaptation)
        model = engine.adapt(opened, formulation, state, adaptation, seed=seed)
        return Fitted(engine, opened, adaptation, model)

    def fit(self, backbone: str, folder: Path, seed: int = 0) -> Fitted:
        """Return a model fitted to the toy task."""
        fitted = self.attach(backbone, seed)
        rows = toy_rows(fitted.backbone, 48, fitted.adaptation)
        run = Run(folder=folder / "run", store=folder / "store", seed=seed)
        with fitted.engine.session(fitted.model, rows, None, run) as session:
            fit = fitted.adaptation.fit(session)
        fitted.model.eval()
        return replace(fitted, adaptation=fit.adaptation or fitted.adaptation)

    def fitted(self, backbone: str, folder: Path) -> Fitted:
        """Return a model fitted to the toy task, the same for all checks that only look at it."""
        if backbone not in self._fits:
            self._fits[backbone] = self.fit(backbone, folder)
        return self._fits[backbone]

    def supported(self) -> list[str]:
        """Return the tiny backbones that the adaptation can be attached to; skip a check for one that chooses among others."""
        if self.chooses():
            pytest.skip("the adaptation chooses among others, and is attached to none")
        found = []
        for backbone in self.backbones:
            try:
                self.attach(backbone)
            except NotSupported:
                continue
            found.append(backbone)
        assert found, f"{self.component!r} refuses {', '.join(self.backbones)}: set `backbones` to one that it takes."
        return found

    def cut_ones(self) -> list[tuple[Fitted, int]]:
        """Return the models whose trunk can be stored, each with the cut point; skip a check where there are none."""
        attached = [self.attach(backbone) for backbone in self.supported()]
        cuts = [(one, one.adaptation.cut(one.backbone.spec)) for one in attached]
        found = [(one, cut) for one, cut in cuts if cut is not None]
        return found or pytest.skip("no stored trunk is for this adaptation")

    def chooses(self) -> bool:
        """Whether the adaptation is one that chooses among others."""
        return self.load().choice is not Adaptation.choice

    def learns(self) -> None:
        """Skip a check for adaptations that have no φ."""
        if self.load().learns != "phi":
            pytest.skip("the adaptation learns nothing")

    def test_the_same_examples_give_the_same_candidates(self) -> None:
        """An adaptation that chooses names candidates that are installed and take their options, whatever the task's examples
        are, and the same ones when it is asked again.

        If this fails: let `choice` hang on its arguments and the options alone, and name options that the candidates have.
        """
        from functory.plugins.registry import load
        from functory.running.backbones import open_backbone

        if not self.chooses():
            pytest.skip("the adaptation chooses nothing")
        for backbone in self.each(list(self.backbones)):
            spec = open_backbone(backbone, {}).spec
            for count in (8, 64, 3000):
                examples = [ToyExample(**row) for row in toy_texts(count)]
                choice = self.configured().choice(ToyTask(), spec, examples)
                assert choice is None or choice.candidates, f"{count} examples: it chooses among none."
                again = self.configured().choice(ToyTask(), spec, examples)
                assert choice == again, f"{count} examples: asked again, it names {again} and not {choice}."
                for one in choice.candidates if choice else ():
                    if one.is_needed:
                        load("adaptations", one.name).configure(dict(one.options))

    def test_phi_alone_restores_the_outputs(self, tmp_path: Path) -> None:
        """φ, taken from a fitted model and put into a fresh one, gives the same outputs.

        If this fails: something that was trained or drawn is not among the parameters that require a gradient: a
        buffer, a replaced module, a parameter frozen again after training. Where the fit decides what φ consists of,
        it must return the adaptation whose options say so (`Fit.adaptation`).
        """
        self.learns()
        for backbone in self.each(self.supported()):
            fitted = self.fitted(backbone, tmp_path / backbone)
            fresh = self.attach(backbone, seed=99, adaptation=fitted.adaptation)
            assert fresh.phi.keys() == fitted.phi.keys(), (
                f"{backbone}: the fit left other tensors in φ than its options build: "
                f"{', '.join(sorted(fresh.phi.keys() ^ fitted.phi.keys()))}."
            )
            fresh.engine.load_phi(fresh.model, fitted.phi)
            probe = probes(fitted.backbone)
            off = difference(fitted.outputs(probe), fresh.outputs(probe))
            assert off <= 1e-6, f"{backbone}: with φ alone the outputs differ by {off:.2g}."

    def test_phi_is_small(self) -> None:
        """Where `is_small` says so, φ without the head is at most a fifth of θ.

        If this fails: inject less, or declare `is_small = False`.
        """
        if not self.load().is_small:
            pytest.skip("the adaptation does not say that φ is small")
        for backbone in self.each(self.supported()):
            wide = self.attach(backbone, width=256, layers=6)
            phi = sum(array.size for name, array in wide.phi.items() if not name.startswith("head."))
            theta = sum(parameter.numel() for parameter in wide.backbone.network.parameters())
            assert phi <= SMALL * theta, f"{backbone}: φ has {phi:,} numbers beside {theta:,} of θ."

    def test_the_same_seed_gives_the_same_phi(self, tmp_path: Path) -> None:
        """Two fits with one seed end in the same bits; a finished model gives the same outputs twice.

        If this fails: draw with torch, or with a generator made from `session.run.seed`; visit parameters in a fixed
        order, and leave dropout in training mode only.
        """
        self.learns()
        for backbone in self.each(self.supported()):
            first, second = self.fitted(backbone, tmp_path / f"{backbone}-1"), self.fit(backbone, tmp_path / f"{backbone}-2")
            assert first.phi.keys() == second.phi.keys(), f"{backbone}: φ has other names the second time."
            for name, array in first.phi.items():
                assert (array == second.phi[name]).all(), f"{backbone}: {name} differs between two fits with one seed."
            probe = probes(first.backbone)
            assert difference(first.outputs(probe), first.outputs(probe)) == 0, (
                f"{backbone}: outputs vary by themselves."
            )

    def test_the_generators_of_the_process_are_left_alone(self, tmp_path: Path) -> None:
        """Attaching and fitting neither draw from nor seed what the user's program and other builds draw from.

        If this fails: where numpy or `random` draws, make a generator from `session.run.seed`
        (`numpy.random.default_rng(seed)`); leave out `torch.manual_seed`: what torch draws is drawn from the seed already.
        """
        for backbone in self.each(self.supported()):
            with generators_untouched(f"{self.component!r} on {backbone}"):
                self.fit(backbone, tmp_path / backbone, seed=3) if self.load().learns == "phi" else self.attach(backbone)

    def test_gradients_reach_phi_and_nothing_else(self, tmp_path: Path) -> None:
        """After a fit each φ tensor gets a gradient, and no tensor of the backbone wants one.

        If this fails: parameters that require a gradient but do nothing are not φ (freeze or leave them out), and a
        tensor shared with the backbone must be replaced before it is trained (`functory_sdk.torch.own`).
        """
        self.learns()
        for backbone in self.each(self.supported()):
            fitted = self.fitted(backbone, tmp_path / backbone)
            shared = {parameter.data_ptr() for parameter in fitted.backbone.network.parameters()}
            loss_of(fitted).backward()
            for name, parameter in fitted.model.named_parameters():
                if not parameter.requires_grad:
                    assert parameter.grad is None, f"{backbone}: {name} is frozen and has a gradient."
                    continue
                assert parameter.data_ptr() not in shared, f"{backbone}: {name} is trained and is the backbone's own tensor."
                has_one = parameter.grad is not None and bool((parameter.grad != 0).any())
                assert has_one, f"{backbone}: no gradient reaches {name}."
            trained = [name for name, p in fitted.backbone.network.named_parameters() if p.requires_grad]
            assert not trained, f"{backbone}: the shared backbone's {trained[0]} requires a gradient."

    def test_a_second_function_changes_nothing_in_the_first(self, tmp_path: Path) -> None:
        """A backbone is never changed: after a second fit on it, it and the first function give the same bits.

        If this fails: inject into the network that `attach` is given, and write into no tensor that came with it.
        """
        self.learns()
        for backbone in self.each(self.supported()):
            first = self.fit(backbone, tmp_path / f"{backbone}-1")
            probe = probes(first.backbone)
            network = first.backbone.network
            weights = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
            before, bare = first.outputs(probe), hidden(network, probe)
            self.fit(backbone, tmp_path / f"{backbone}-2", seed=7)
            assert difference(before, first.outputs(probe)) == 0, f"{backbone}: the first function's outputs changed."
            now = dict(network.named_parameters())
            assert now.keys() == weights.keys(), f"{backbone}: the shared network has other parameters than before."
            for name, weight in weights.items():
                assert bool((now[name] == weight).all()), f"{backbone}: the shared tensor {name} was written into."
            assert difference(bare, hidden(network, probe)) == 0, f"{backbone}: the bare backbone's outputs changed."
            assert not network.training, f"{backbone}: the shared network was left in training mode."

    def test_below_the_cut_nothing_is_changed(self, tmp_path: Path) -> None:
        """Whatever φ is, the trunk up to `cut` computes what the bare backbone computes, and the crown goes on from it.

        If this fails: return from `cut` the point before the first step that φ touches: 0 for embeddings, i for layer
        i (counted from 1), `spec.points` for a head alone; None when the stored trunk is not for this adaptation.
        """
        for fitted, cut in self.each(self.cut_ones()):
            backbone, spec = fitted.backbone.name, fitted.backbone.spec
            assert 0 <= cut <= spec.points, f"{backbone}: the cut {cut} is none of 0 … {spec.points}."
            perturb(fitted.model)
            for row in probes(fitted.backbone):
                off, whole = cut_differences(fitted, row, cut)
                assert off == 0, f"{backbone}: φ changes the trunk below the declared cut {cut}, by {off:.2g}."
                assert whole <= 1e-5, (
                    f"{backbone}: the crown from cut {cut} differs from the whole pass by {whole:.2g}."
                )

    def test_a_cut_below_the_head_has_phi_in_the_network(self) -> None:
        """An adaptation whose crown begins below the head injects φ there: what is untouched is the trunk's.

        If this fails: `attach` made no parameter of the network trainable: see that it is named `attach`, and that what
        it injects requires a gradient; where the head alone is fitted, let `cut` return `spec.points`.
        """
        self.learns()
        for fitted, cut in self.each(self.cut_ones()):
            inside = [name for name in fitted.model.phi() if name.startswith("network.")]
            is_head_alone = cut == fitted.backbone.spec.points
            assert inside or is_head_alone, (
                f"{fitted.backbone.name}: the crown begins at cut {cut} of {fitted.backbone.spec.points}, and nothing is "
                "attached there: φ is the head's alone."
            )

    def test_phi_has_an_effect(self) -> None:
        """Each tensor of φ, when it changes, changes the outputs.

        If this fails: the tensor is injected where the forward pass does not go: a hook on a module that the cut
        network does not call, a layer that was replaced in a list nobody reads.
        """
        self.learns()
        for backbone in self.each(self.supported()):
            fitted = self.attach(backbone)
            probe = probes(fitted.backbone)
            perturb(fitted.model)
            before = fitted.outputs(probe)
            for name, parameter in fitted.model.phi().items():
                kept = parameter.detach().clone()
                perturb_tensor(parameter, seed=5)
                changed = difference(before, fitted.outputs(probe))
                restore(parameter, kept)
                assert changed > 0, f"{backbone}: {name} is φ, and the outputs do not feel it."

    def test_batches_change_nothing(self) -> None:
        """Rows of unequal lengths give in one batch what each gives alone, whatever φ is.

        If this fails: let what was injected obey the attention mask; prefixes need mask entries of their own.
        """
        for backbone in self.each(self.supported()):
            fitted = self.attach(backbone)
            perturb(fitted.model)
            probe = probes(fitted.backbone)
            off = difference(fitted.outputs(probe), fitted.batch(probe))
            assert off <= 1e-4, f"{backbone}: a row's outputs differ by {off:.2g} between alone and in a batch."

    def test_groups_are_never_parted(self, tmp_path: Path) -> None:
        """Fitted to a head whose loss compares the rows of a group, such as the options of a question, it sees all of them.

        If this fails: leave batches to the engine's loop, or cut them, and folds, by `session.train.group`; a head says by
        `together` what its losses must see at once.
        """
        self.learns()
        backbone = self.supported()[0]
        fitted = self.attach(backbone, task=ToyGroups())
        run = Run(folder=tmp_path / "run", store=tmp_path / "store", seed=0)
        with fitted.engine.session(fitted.model, toy_groups(fitted.backbone, 48, fitted.adaptation), None, run) as session:
            fitted.adaptation.fit(session)

    def test_fitting_lowers_the_loss(self, tmp_path: Path) -> None:
        """A fit with the suite's options makes the toy task's training loss smaller.

        If this fails: see that `fit` trains this model, with a learning rate that suits a few steps (set `options`).
        """
        self.learns()
        for backbone in self.each(self.supported()):
            before = float(loss_of(self.attach(backbone)).detach())
            after = float(loss_of(self.fitted(backbone, tmp_path / backbone)).detach())
            assert after < before, f"{backbone}: the loss was {before:.4f} and is {after:.4f}."


def toy_rows(backbone: Backbone[Any], count: int, adaptation: Adaptation[Any] | None = None) -> Taught:
    """Return the toy task's training rows for a backbone, with what the adaptation's head reads beside."""
    task, state = ToyTask(), ToyState(labels=("no", "yes"))
    examples = [ToyExample(**row) for row in toy_texts(count)]
    reader = Reader(backbone.tokenizer, backbone.spec, has_ngrams=adaptation is not None and bool(adaptation.beside))
    encoded = task.encode(examples, reader, state)
    gold = task.label(examples, encoded, state)
    made = [{**with_target(reader, row), **one} for row, one in zip(encoded.rows, gold, strict=True)]
    return Taught(made, encoded.owner)


def toy_groups(backbone: Backbone[Any], count: int, adaptation: Adaptation[Any] | None = None) -> Taught:
    """Return the toy task's training rows in groups of two to four, in each of which one row is the right one; rows of a group
    do not lie beside each other.
    """
    rows = toy_rows(backbone, count, adaptation)
    by_gold = [[row for row in rows.rows if int(row["gold"]) == gold] for gold in (0, 1)]
    made: list[tuple[int, dict[str, Array]]] = []
    while by_gold[1] and len(by_gold[0]) >= 3:
        number = made[-1][0] + 1 if made else 0
        size = 2 + number % 3
        of_group = [by_gold[1].pop(), *(by_gold[0].pop() for _ in range(size - 1))]
        made += [(number, {**row, "size": np.asarray(size, dtype=np.int64)}) for row in of_group]
    made.sort(key=lambda one: (len(one[1]["input_ids"]), one[0]))
    return Taught([row for _, row in made], list(range(len(made))), [number for number, _ in made])


def probes(backbone: Backbone[Any]) -> list[dict[str, Array]]:
    """Return rows of unequal lengths, one of them only special tokens or a single letter."""
    reader = Reader(backbone.tokenizer, backbone.spec, has_ngrams=True)
    return [with_target(reader, dict(row)) for row in reader.encode(PROBES).rows]


def with_target(reader: Reader, row: dict[str, Array]) -> dict[str, Array]:
    """Return a row for an encoder-decoder with a target of some tokens: a single one leaves half of the layers idle."""
    if reader.spec.architecture != "encoder-decoder":
        return row
    first, ids = row["decoder_input_ids"], row["input_ids"]
    return row | reader.row(ids, target=np.concatenate([first, ids[1 : 2 + len(ids) % 3]]))


def tensors(batch: Mapping[str, Array]) -> dict[str, Any]:  # Any: torch tensors
    """Return arrays as tensors."""
    import torch

    return {name: torch.from_numpy(array) for name, array in batch.items()}


def hidden(network: Any, rows: Sequence[Row]) -> list[Row]:
    """Return the last hidden states of each row, run alone."""
    import torch

    with torch.inference_mode():
        return [{"hidden": network.hidden(tensors(pad([row], network.spec.ports())))[0].numpy()} for row in rows]


def loss_of(fitted: Fitted) -> Any:  # Any: a torch scalar
    """Return the mean loss of the toy rows, with gradients."""
    rows, task = toy_rows(fitted.backbone, 16, fitted.adaptation).rows, ToyTask()
    gold = task.gold_ports(fitted.backbone.spec, ToyState(labels=("no", "yes")))
    fitted.model.eval()
    fitted.model.zero_grad()
    batch = tensors({**pad(rows, (*fitted.model.inputs, *gold)), "group": np.arange(len(rows))})
    losses, weights = fitted.model.head.losses(fitted.model(batch), batch)
    return (losses * weights).sum() / weights.sum()


def perturb(model: Any) -> None:
    """Move every tensor of φ away from where it starts: many methods start where φ does nothing."""
    for index, parameter in enumerate(model.phi().values()):
        perturb_tensor(parameter, seed=index)
    model.eval()


def perturb_tensor(parameter: Any, seed: int) -> None:
    """Add seeded noise to one tensor; whole numbers change places."""
    import torch

    noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        if parameter.is_floating_point():
            parameter.add_(0.2 * noise.to(parameter.dtype))
        else:  # numbers of places: one place further each, so that all are still there
            parameter.copy_(parameter.roll(1, 0))


def restore(parameter: Any, kept: Any) -> None:
    """Put a tensor's numbers back."""
    import torch

    with torch.no_grad():
        parameter.copy_(kept)


def cut_differences(fitted: Fitted, row: Row, cut: int) -> tuple[float, float]:
    """Return how far the trunk is from the bare network's, and the crown on it from the whole pass."""
    import torch

    batch = tensors(pad([row], fitted.model.inputs))
    network = fitted.backbone.network
    with torch.inference_mode():
        trunk = fitted.model.trunk(batch, cut)
        bare = network.run(0, cut, {}, network.prepare(batch))
        crown, whole = fitted.model.crown(trunk, batch, cut), fitted.model(batch)
    return difference([_numpy(trunk)], [_numpy(bare)]), difference([_numpy(crown)], [_numpy(whole)])


def _numpy(state: Mapping[str, Any]) -> Row:
    return {name: value.numpy() for name, value in state.items()}

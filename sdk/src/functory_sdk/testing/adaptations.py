"""What an adaptation owes: φ that is complete, small where it says so, drawn from the seed, felt, and apart from the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from functory.contracts.adaptation import Adaptation
from functory.contracts.engine import Run
from functory.contracts.putting import chosen
from functory.errors import NotSupported
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.fitted import (
    Fitted,
    cut_differences,
    hidden,
    loss_of,
    perturb,
    perturb_tensor,
    probes,
    restore,
    toy_groups,
    toy_rows,
)
from functory_sdk.testing.generators import generators_untouched
from functory_sdk.testing.suite import ComponentSuite, TorchSuite
from functory_sdk.testing.toy import ToyExample, ToyGroups, ToyState, ToyTask
from functory_sdk.testing.toy import rows as toy_texts

SMALL = 0.2
"""The largest part of θ that a small φ may be, on a network 256 wide with 6 layers."""
BRIEF = {"epochs": 3, "batch_rows": 8, "warmup": 0.0, "learning_rate": 5e-3}
"""How the suite trains, where the options have such fields and the test class says nothing else."""


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

    def test_merged_it_computes_the_same(self) -> None:
        """What is opened for inference, with φ put into the maps, gives the same outputs, whatever φ is; the model and the
        backbone stay as they were.

        If this fails: let `merge` give the copy's maps new parameters, W + what φ adds at its scale, and write into none.
        """
        if self.load().merge is Adaptation.merge:
            pytest.skip("the adaptation puts nothing into the maps")
        for backbone in self.each(self.supported()):
            fitted = self.attach(backbone)
            probe, network = probes(fitted.backbone), fitted.backbone.network
            perturb(fitted.model)
            before, bare = fitted.outputs(probe), hidden(network, probe)
            merged = replace(fitted, model=fitted.model.merged())
            fewer = sum(1 for _ in merged.model.modules()) < sum(1 for _ in fitted.model.modules())
            assert fewer, f"{backbone}: `merge` left every module where it was."
            off = difference(before, merged.outputs(probe))
            assert off <= 1e-4, f"{backbone}: merged, the outputs differ by {off:.2g}."
            assert difference(before, fitted.outputs(probe)) == 0, f"{backbone}: merging changed the model itself."
            assert difference(bare, hidden(network, probe)) == 0, f"{backbone}: merging wrote into the backbone."

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

"""What a family owes: facts that its configuration tells, and a network that computes what the model does, cut anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Family
from functory_sdk.testing.backbones import scale
from functory_sdk.testing.branching import branching_differences
from functory_sdk.testing.guarding import overridable
from functory_sdk.testing.suite import ComponentSuite, TorchSuite

LENGTHS = (9, 4, 6)
"""Tokens of the rows of a batch."""


class FamilySuite(ComponentSuite, TorchSuite):
    """Inherit it, name the family in `component`, and give the configuration of a small model of it.

    :cvar config: config.json without ``model_type``. Of models that transformers makes, whatever is not given has its default.
    """

    kind: ClassVar[str] = "families"
    config: ClassVar[Mapping[str, Any]] = {}

    @cached_property
    def family(self) -> Family:
        """The family."""
        made: Family = self.load()()
        return made

    @cached_property
    def whole_config(self) -> dict[str, Any]:
        """config.json, as a model folder has it."""
        given = {"model_type": self.component, **self.config}
        if self.family.model(given) is not None:
            return given
        import transformers

        found: dict[str, Any] = transformers.AutoConfig.for_model(self.component, **self.config).to_dict()
        return found

    @cached_property
    def model(self) -> Any:  # Any: a torch module
        """A model with random weights, large enough that a slip shows."""
        import torch

        torch.manual_seed(0)
        model = self.family.model(self.whole_config) or self._theirs()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        return model.eval()

    def _theirs(self) -> Any:
        """Return transformers' model."""
        import transformers

        kinds = {"encoder": "AutoModel", "decoder": "AutoModelForCausalLM", "encoder-decoder": "AutoModelForSeq2SeqLM"}
        config = transformers.AutoConfig.for_model(self.component, **self.config)
        auto: Any = getattr(transformers, kinds[self.family.architecture])
        return auto.from_config(config, attn_implementation=self.family.attention)

    @overridable
    def whole(self, model: Any, batch: Mapping[str, Any]) -> Any:  # Any: a torch module and tensors
        """Return the last hidden states, (batch, tokens, width), as the model itself computes them.

        By default what it returns, or the `last_hidden_state` of that; of the decoder where there are two stacks.
        """
        if self.family.architecture == "encoder-decoder":
            return model(**batch, output_hidden_states=True).decoder_hidden_states[-1]
        out = getattr(model, "base_model", model)(**batch)
        return getattr(out, "last_hidden_state", out)

    def saved(self, folder: Path) -> Path:
        """Write config.json and the weights as a model folder has them."""
        from safetensors.torch import save_file

        (folder / "config.json").write_text(json.dumps(self.whole_config))
        kept = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        save_file(kept, folder / "model.safetensors", {"format": "pt"})
        return folder

    def facts(self, folder: Path) -> BackboneSpec:
        """Return the facts of a saved model, as backbones read them."""
        from functory_sdk.facts import Facts

        facts = Facts(folder)
        told = ("family", "architecture", "width", "layers", "decoder_layers", "vocabulary", "context", "start_id")
        return BackboneSpec(
            reference="tiny", weights_hash="0" * 64, pad_id=facts.pad_id(None), has_logits=facts.has_logits,
            has_token_types=facts.has_token_types, **{name: getattr(facts, name) for name in told},
        )  # fmt: skip

    def loaded(self, folder: Path) -> Any:  # Any: a network
        """Return the network of the model, saved and loaded."""
        from functory_sdk.torch import load_transformers

        return load_transformers(self.saved(folder), self.facts(folder)).eval()

    def batch(self, spec: BackboneSpec, lengths: tuple[int, ...] = LENGTHS) -> dict[str, Any]:
        """Return random rows, padded on the right."""
        import torch

        generator = torch.Generator().manual_seed(1)
        ids = torch.full((len(lengths), max(lengths)), spec.pad_id)
        mask = torch.zeros_like(ids)
        for row, length in enumerate(lengths):
            drawn = torch.randint(0, spec.vocabulary - 1, (length,), generator=generator)
            ids[row, :length] = drawn + (drawn >= spec.pad_id)  # whatever is not padding
            mask[row, :length] = 1
        made = {"input_ids": ids, "attention_mask": mask}
        if spec.architecture == "encoder-decoder":
            made["decoder_input_ids"] = ids[:, : min(lengths)].clone()
        return made

    def test_its_facts_are_the_networks(self, tmp_path: Path) -> None:
        """The sizes that config.json tells are those of the network, whose layers can be counted.

        If this fails: name the entries of config.json in `keys`, or the layers in the network's `blocks`.
        """
        import torch

        network = self.loaded(tmp_path)
        spec = network.spec
        with torch.inference_mode():
            found = network.hidden(self.batch(spec)).shape[-1]
        assert found == spec.width, f"the network is {found} wide; the facts know {spec.width}."
        assert len(network.blocks) == spec.layers, f"it has {len(network.blocks)} layers; the facts know {spec.layers}."
        tables = {table.num_embeddings for table in network.modules() if isinstance(table, torch.nn.Embedding)}
        assert not tables or spec.vocabulary in tables, f"no embedding is of {spec.vocabulary} tokens, as the facts know."

    def test_the_network_computes_what_the_model_does(self, tmp_path: Path) -> None:
        """Step by step it gives the states that the model itself gives, from the weights that were saved.

        If this fails: look at the first step whose state differs; scales, dropout and the last norm are often forgotten.
        """
        import torch

        network = self.loaded(tmp_path)
        batch = self.batch(network.spec)
        with torch.inference_mode():
            ours, theirs = network.hidden(batch), self.whole(self.model, batch)
        is_real = torch.ones(ours.shape[:2]) > 0 if "decoder_input_ids" in batch else batch["attention_mask"] > 0
        off = float((ours - theirs)[is_real].abs().max())
        assert off <= 1e-4 * scale(theirs), f"the network's states are off by {off:.2g} from the model's."

    def test_cut_at_every_point_it_is_the_whole_pass(self, tmp_path: Path) -> None:
        """Cut anywhere and run in two pieces, with only what `stored` names between, it gives the same states.

        If this fails: what a later step needs must be in the state, or follow from the batch (`prepare`).
        """
        import torch

        network = self.loaded(tmp_path)
        batch = self.batch(network.spec)
        with torch.inference_mode():
            whole = network.hidden(batch)
            for point in range(1, network.points + 1):
                state = network.run(0, point, {}, network.prepare(batch))
                kept = {name: state[name] for name in network.stored(point)}
                found = network.run(point, network.points, kept, network.prepare(batch))["hidden"]
                off = float((found - whole).abs().max())
                assert off <= 1e-5 * scale(whole), f"cut at point {point} the states differ by {off:.2g}."

    def test_batches_and_padding_change_nothing(self, tmp_path: Path) -> None:
        """A row's states are the same alone and in a padded batch of unequal rows.

        If this fails: the mask does not reach what mixes tokens, or positions count the padding.
        """
        import torch

        network = self.loaded(tmp_path)
        batch = self.batch(network.spec)
        with torch.inference_mode():
            together = network.hidden(batch)
            for row, length in enumerate(LENGTHS):
                alone = {name: value[row : row + 1] for name, value in batch.items()}
                alone |= {name: alone[name][:, :length] for name in ("input_ids", "attention_mask")}
                states = network.hidden(alone)
                off = float((states - together[row : row + 1, : states.shape[1]]).abs().max())
                assert off <= 1e-4 * scale(together), f"a row of {length} tokens differs by {off:.2g} in a batch."

    def test_ways_that_branch_have_the_states_of_rows_of_their_own(self, tmp_path: Path) -> None:
        """Several ways to go on from one beginning, laid into one row or read after a beginning whose keys and values are kept,
        have the states that each of them has in a row of its own, in a padded batch too.

        If this fails: `prepare` and `resume` must place each token by ``positions`` (rotary angles, tables, biases) and hide it
        from those after its ``ends``; `causal_mask` and `resumed` in `functory_sdk.torch.network` do both. A network that
        cannot leaves `has_branches` False.
        """
        for how, off in branching_differences(self.loaded(tmp_path)).items():
            assert off <= 1e-4, f"{how} the states of ways that branch are off by {off:.2g}."

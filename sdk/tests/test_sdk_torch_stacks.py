"""Every architecture, small and random: cut anywhere it is whole, and it is what transformers computes."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from functory_sdk import ArtefactCorrupt, BackboneSpec, NotSupported, entries  # noqa: E402
from functory_sdk.families import family_names, family_of  # noqa: E402
from functory_sdk.torch import Kept, Network, Writing, advance, drawing, network_from, own, structural_copy  # noqa: E402
from functory_sdk.torch.stacks.rotary import FULL, SLIDING  # noqa: E402

VOCABULARY, PAD = 97, 1
BERT = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
LLAMA = {**BERT, "num_key_value_heads": 2, "head_dim": 8}
BART = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 64, "decoder_start_token_id": 0,
        "forced_eos_token_id": None}  # fmt: skip
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_heads": 4, "decoder_start_token_id": 0}
SETTINGS: dict[str, dict[str, Any]] = {
    "bert": BERT, "roberta": BERT, "xlm-roberta": BERT, "camembert": BERT,
    "electra": {**BERT, "embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48},
    "deberta-v2": {**BERT, "relative_attention": True, "position_buckets": 4, "pos_att_type": "p2c|c2p",
                   "norm_rel_ebd": "layer_norm", "share_att_key": True, "position_biased_input": False, "type_vocab_size": 0},
    "modernbert": {**BERT, "local_attention": 4, "global_attn_every_n_layers": 2},
    "llama": LLAMA, "gemma": LLAMA, "qwen3": LLAMA,
    "mistral": {**LLAMA, "sliding_window": 4},
    "qwen2": {**LLAMA, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    "gemma3_text": {**LLAMA, "sliding_window": 4, "layer_types": [SLIDING, FULL, SLIDING]},
    "gemma2": {**LLAMA, "sliding_window": 4,
               "query_pre_attn_scalar": 8, "attn_logit_softcapping": 0.5, "final_logit_softcapping": 0.5},
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64},
    "t5": {**T5, "num_layers": 2, "num_decoder_layers": 3},
    "bart": BART, "marian": BART, "m2m_100": BART,
    "mbart": {**BART, "scale_embedding": True},
}  # fmt: skip
ENCODERS = [family for family in SETTINGS if family_of(family).architecture == "encoder"]
WRITERS = [family for family in SETTINGS if family not in ENCODERS]
PAIRS = [family for family in WRITERS if family_of(family).architecture == "encoder-decoder"]
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "DeBERTa v2 with a convolution": ("deberta-v2", {"conv_kernel_size": 3, "conv_act": "gelu", "type_vocab_size": 2}),
    "DeBERTa with maps of positions of its own": (
        "deberta-v2", {"share_att_key": False, "position_buckets": -1, "max_relative_positions": 8, "norm_rel_ebd": "none"},
    ),
    "DeBERTa with absolute positions": (
        "deberta-v2", {"relative_attention": False, "position_biased_input": True, "pos_att_type": None, "embedding_size": 16},
    ),
    "Gemma 2 without caps": ("gemma2", {"attn_logit_softcapping": None, "final_logit_softcapping": None}),
    "Gemma 3 with a cap": ("gemma3_text", {"final_logit_softcapping": 0.5}),
    "GPT-2 that scales by the layer": ("gpt2", {"scale_attn_by_inverse_layer_idx": True, "n_inner": 40}),
    "BART that scales embeddings": ("bart", {"scale_embedding": True, "activation_function": "relu"}),
    "Marian that scales embeddings": ("marian", {"scale_embedding": True, "activation_function": "swish"}),
    "Qwen 3 with windows": ("qwen3", {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}),
}  # fmt: skip


def made(family: str, **settings: Any) -> tuple[Any, Network]:
    """Return a small random model of a family, as transformers knows it and as we cut it."""
    if family in VARIANTS:
        family, settings = VARIANTS[family]
    torch.manual_seed(1)
    special = {"pad_token_id": PAD, "bos_token_id": 2, "eos_token_id": 3, "vocab_size": VOCABULARY}
    config = transformers.AutoConfig.for_model(family, **{**SETTINGS[family], **settings}, **special)
    kind = family_of(family).architecture
    auto = {"encoder": "AutoModel", "decoder": "AutoModelForCausalLM", "encoder-decoder": "AutoModelForSeq2SeqLM"}[kind]
    model = getattr(transformers, auto).from_config(config, attn_implementation=family_of(family).attention).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # far from its first values, where a slip would not show
            parameter.add_(torch.randn_like(parameter) * (0.3 if "norm" in name.lower() or "bias" in name else 0.1))
    spec = BackboneSpec(
        reference="tiny", architecture=kind, family=family, width=32,
        layers=5 if family in PAIRS else 3, decoder_layers=3 if family in PAIRS else 0,
        vocabulary=VOCABULARY, context=64, pad_id=PAD, start_id=0 if family in PAIRS else None, weights_hash="0",
        has_token_types=family_of(family).has_token_types(config.to_dict()),
    )  # fmt: skip
    network = network_from(own_model(family, model), spec).eval()
    network.requires_grad_(False)
    return model, network


def own_model(family: str, model: Any) -> Any:
    """Return the model that the family itself makes, with the same numbers; transformers' where it makes none."""
    ours = family_of(family).model(model.config.to_dict())
    if ours is None:
        return model
    told = ours.load_state_dict(model.state_dict(), strict=False)
    assert not told.missing_keys
    assert all(name.startswith("pooler.") for name in told.unexpected_keys)
    return ours


def batch(network: Network, lengths: tuple[int, ...] = (11, 6), extra: int = 0) -> dict[str, Any]:
    """Return a batch of random rows, padded on the right, and `extra` further."""
    generator = torch.Generator().manual_seed(2)
    size = max(lengths) + extra
    ids = torch.full((len(lengths), size), PAD)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(4, VOCABULARY, (length,), generator=generator)
        mask[row, :length] = 1
    made = {"input_ids": ids, "attention_mask": mask}
    if network.spec.has_token_types:
        made["token_type_ids"] = (torch.arange(size) > 3) * mask
    if network.spec.architecture == "encoder-decoder":
        made["decoder_input_ids"] = torch.tensor([[0, 5, 6, 7], [0, 8, 9, 10]])[: len(lengths)]
    return made


@pytest.mark.parametrize("family", [*SETTINGS, *VARIANTS])
def test_the_whole_pass_is_transformers_own(family: str) -> None:
    model, network = made(family)
    rows = batch(network)
    kind = network.spec.architecture
    base, is_pair = model.base_model if kind == "decoder" else model, kind == "encoder-decoder"
    with torch.no_grad():
        theirs = base(**rows, **({"output_hidden_states": True} if is_pair else {}))
        ours = network.hidden(rows)
    hidden = theirs.decoder_hidden_states[-1] if is_pair else theirs.last_hidden_state
    real = (torch.ones(hidden.shape[:2]) if is_pair else rows["attention_mask"]) > 0
    torch.testing.assert_close(ours[real], hidden[real], atol=1e-5, rtol=1e-5)
    if kind != "encoder":
        with torch.no_grad():
            torch.testing.assert_close(network.logits(ours)[real], model(**rows).logits[real], atol=1e-5, rtol=1e-5)


OWN = ["bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert"]
KIN: dict[str, tuple[str, dict[str, Any]]] = {
    **{family: (family, {}) for family in OWN},
    "an ELECTRA whose embeddings are as wide as its layers": ("electra", {"embedding_size": 32, "hidden_act": "relu"}),
    "BERT by other norms and maps": ("bert", {"layer_norm_eps": 1e-3, "hidden_act": "gelu_new"}),
    "RoBERTa with one kind of token": ("roberta", {"type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "DistilBERT that maps by a relu": ("distilbert", {"activation": "relu", "sinusoidal_pos_embds": True}),
}


@pytest.mark.parametrize("case", KIN)
def test_what_a_family_makes_itself_is_transformers_model_step_by_step(case: str) -> None:
    family, settings = KIN[case]
    model, ours = made(family, **settings)
    theirs = network_from(model, ours.spec).eval()
    assert not any(type(module).__module__.startswith("transformers") for module in ours.modules())
    assert any(type(module).__module__.startswith("transformers") for module in theirs.modules()), "a live model is as it is"
    rows, one, other = batch(ours), {}, {}
    with torch.no_grad():
        for point in range(ours.points):
            one = ours.run(point, point + 1, one, ours.prepare(rows))
            other = theirs.run(point, point + 1, other, theirs.prepare(rows))
            real = rows["attention_mask"] > 0
            torch.testing.assert_close(one["hidden"][real], other["hidden"][real], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("is_padded", [True, False])
@pytest.mark.parametrize("family", OWN)
def test_it_leaves_out_in_training_what_transformers_does_and_has_its_gradients(family: str, is_padded: bool) -> None:
    model, ours = made(family)
    theirs = network_from(model, ours.spec)
    rows, gradients = batch(ours, (11, 6) if is_padded else (9, 9)), []
    for network in (ours.requires_grad_(True).train(), theirs.requires_grad_(True).train()):
        with drawing(3):
            found = network.hidden(rows)
        (found[rows["attention_mask"] > 0] ** 2).sum().backward()
        gradients.append({name: one.grad for name, one in network.named_parameters() if one.grad is not None})
    assert set(gradients[0]) == {name for name in gradients[1] if "pooler" not in name}
    for name, one in gradients[0].items():
        torch.testing.assert_close(one, gradients[1][name], atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        assert not torch.allclose(ours.hidden(rows), ours.eval().hidden(rows), atol=1e-2), "nothing was left out"


def test_a_size_that_cannot_be_is_told_by_the_name_that_the_file_has_for_it() -> None:
    small = {**SETTINGS["distilbert"], "vocab_size": VOCABULARY, "max_position_embeddings": 64}
    for config, message in (
        ({"n_heads": 5}, "says n_heads = 5, which does not divide dim = 32"),
        ({"dropout": "much"}, "says dropout = 'much': "),
        ({"hidden_dim": 0}, "says hidden_dim = 0: "),
        ({"n_layers": None}, "does not say n_layers"),
    ):
        with pytest.raises(ArtefactCorrupt, match=message):
            family_of("distilbert").model({**small, **config})


def test_activations_of_every_name_compute_what_those_of_transformers_do() -> None:
    from transformers.activations import ACT2FN

    from functory_sdk.torch.activations import ACTIVATIONS, activation

    assert set(ACT2FN) - set(ACTIVATIONS) <= {"xielu"}
    given = torch.linspace(-12, 12, 401)
    for name in ACTIVATIONS:
        torch.testing.assert_close(activation(name)(given), ACT2FN[name](given), atol=1e-6, rtol=1e-6)
    with pytest.raises(NotSupported, match=r"(?s)'gelu_neu' is not known here.*did you mean 'gelu_new'"):
        activation("gelu_neu")


@pytest.mark.parametrize("family", ENCODERS)
def test_what_takes_padding_out_computes_nothing_for_it_and_learns_the_same(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from functory_sdk.torch import unpadding

    _, network = made(family)
    network.requires_grad_(True)
    rows, maps = batch(network), [module for module in network.blocks[0].modules() if isinstance(module, torch.nn.Linear)]
    computed = set[int]()
    hook = maps[-1].register_forward_hook(lambda _, given, found: computed.add(found.shape[:-1].numel()))
    gradients = dict[float, list[torch.Tensor]]()
    for worth in (unpadding.WORTH, 0.0):
        monkeypatch.setattr(unpadding, "WORTH", worth)
        (network.hidden(rows)[rows["attention_mask"] > 0] ** 2).sum().backward()
        gradients[worth] = [one.grad for one in network.blocks[0].parameters() if one.grad is not None]
        network.zero_grad(set_to_none=True)
    hook.remove()
    padded, real = rows["attention_mask"].numel(), int(rows["attention_mask"].sum())
    assert computed == ({padded, real} if network.unpads else {padded})
    assert network.unpads == (family != "deberta-v2"), "its attention needs to know the places in rows"
    for one, other in zip(*gradients.values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", SETTINGS)
def test_transformers_names_what_lies_in_a_layer_and_a_model_with_another_head_too(family: str) -> None:
    model, network = made(family)
    origin, theirs = network.origin, dict(model.named_modules())
    assert origin is not None
    assert (origin.model, origin.base) == (type(model).__name__, model.base_model_prefix)
    inside = [f"{path}.{name}" for path in origin.blocks for name, _ in network.get_submodule(path).named_modules() if name]
    assert len(origin.blocks) == network.spec.layers
    for path in inside:
        name = origin.theirs(path)
        assert shapes(theirs[name]) == shapes(network.get_submodule(path))
        bare = name.removeprefix(f"{origin.base}.")
        assert [origin.ours(other) for other in (name, bare, f"{origin.base}.{bare}")] == [path] * 3
    for foreign in ("lm_head", "embeddings.word_embeddings", "layers.99.attention"):
        with pytest.raises(NotSupported, match="lies in no layer"):
            origin.ours(foreign)


def shapes(module: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}


@pytest.mark.parametrize("family", [*WRITERS, *(name for name, (family, _) in VARIANTS.items() if family in WRITERS)])
def test_what_goes_on_from_one_beginning_in_two_ways_has_the_states_of_two_rows(family: str) -> None:
    _, network = made(family)
    rows, written = batch(network, (9, 9)), network.written
    rows[written] = torch.tensor([[0, 5, 6, 7, 8, 9, 10, 11, 12], [0, 5, 6, 7, 8, 20, 21, 22, 23]])
    if written != "input_ids":
        rows["input_ids"][1] = rows["input_ids"][0]
    one = {name: array[:1] for name, array in rows.items()}
    one[written] = torch.cat([rows[written][:1], rows[written][1:, 5:]], 1)  # five tokens, four, and four others
    one["attention_mask"] = torch.ones_like(one["input_ids"])
    one["positions"] = torch.tensor([[*range(9), *range(5, 9)]])
    one["ends"] = torch.tensor([[13] * 5 + [9] * 4 + [13] * 4])
    with torch.no_grad():
        whole, [branched] = network.hidden(rows), network.hidden(one)
    assert network.has_branches
    torch.testing.assert_close(branched[:9], whole[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(branched[[*range(5), *range(9, 13)]], whole[1], atol=1e-5, rtol=1e-5)


DECODERS = [name for name in (*WRITERS, *VARIANTS) if VARIANTS.get(name, (name, {}))[0] in set(WRITERS) - set(PAIRS)]


@pytest.mark.parametrize("family", DECODERS)
def test_rows_that_branch_after_a_beginning_whose_keys_are_kept_have_the_states_of_whole_rows(family: str) -> None:
    _, network = made(family)
    beginning, ways = [5, 6, 7, 8, 9, 10], ([11, 12, 13], [11, 20, 21], [30, 31])
    whole = [network.hidden(decoded([beginning + way]))[0] for way in ways]
    kept = Kept(has_source=False)
    network.run(0, network.points, {}, network.resume(decoded([beginning]), kept.layers))
    # Twice the three ways as one row: 11, 12, 13, then 20, 21 after 11, then 30, 31 after the beginning alone.
    one = decoded([[11, 12, 13, 20, 21, 30, 31]] * 2, kept=6)
    one["positions"] = torch.tensor([[6, 7, 8, 7, 8, 6, 7]] * 2)
    one["ends"] = torch.tensor([[11, 9, 9, 11, 11, 13, 13]] * 2)
    with torch.no_grad():
        hidden = network.run(0, network.points, {}, network.resume(one, kept.parted(torch.tensor([0, 0])).layers))["hidden"]
    for row in hidden:
        for alone, places in zip(whole, ([0, 1, 2], [0, 3, 4], [5, 6]), strict=True):
            torch.testing.assert_close(row[places], alone[6:], atol=1e-5, rtol=1e-5)
    assert kept.layers.get_seq_length() == 6  # what others go on from stays as it is


def decoded(rows: list[list[int]], kept: int = 0) -> dict[str, Any]:
    """Return a batch of a decoder's new tokens, after so many that are kept."""
    ids = torch.tensor(rows)
    return {"input_ids": ids, "attention_mask": torch.ones(len(rows), kept + ids.shape[1], dtype=torch.long)}


@pytest.mark.parametrize("family", [*SETTINGS, *VARIANTS])
def test_cut_at_any_point_it_is_the_whole_pass(family: str) -> None:
    _, network = made(family)
    rows = batch(network)
    with torch.no_grad():
        whole = network.hidden(rows)
        for point in range(network.points + 1):
            state = network.run(0, point, {}, network.prepare(rows))
            assert not point or set(state) == set(network.stored(point))
            kept = {name: state[name].clone() for name in network.stored(point)} if point else {}
            rest = network.run(point, network.points, kept, network.prepare(rows))["hidden"]
            torch.testing.assert_close(rest, whole, atol=0, rtol=0)


@pytest.mark.parametrize("family", [*SETTINGS, *VARIANTS])
def test_padding_and_neighbours_change_nothing(family: str) -> None:
    _, network = made(family)
    with torch.no_grad():
        together = network.hidden(batch(network, extra=9))
        for row, length in enumerate((11, 6)):
            alone = {name: values[row : row + 1] for name, values in batch(network).items()}
            alone |= {name: alone[name][:, :length] for name in alone if name.startswith(("input", "attention", "token"))}
            hidden = network.hidden(alone)
            torch.testing.assert_close(together[row : row + 1, : hidden.shape[1]], hidden, atol=1e-5, rtol=1e-5)
    assert torch.isfinite(together).all()


@pytest.mark.parametrize("family", SETTINGS)
def test_a_copy_takes_changes_and_gradients_and_the_original_none(family: str) -> None:
    _, network = made(family)
    rows = batch(network)
    with torch.no_grad():
        before = network.hidden(rows)
    copied = structural_copy(network)
    mine, theirs = dict(network.named_parameters()), dict(copied.named_parameters())
    assert all(mine[name].data_ptr() == theirs[name].data_ptr() for name in mine)
    top = copied.blocks[-1]
    own(top)
    copied.hidden(rows).pow(2).sum().backward()
    moved = {name for name, parameter in copied.named_parameters() if parameter.grad is not None}
    assert all(parameter.grad is None for parameter in network.parameters())
    assert moved
    assert moved == {name for name, parameter in copied.named_parameters() if parameter.requires_grad}
    with torch.no_grad():
        for parameter in top.parameters():
            parameter.add_(0.1)
        assert (copied.hidden(rows) - before).abs().max() > 1e-3
        assert torch.equal(network.hidden(rows), before)


def test_a_copy_of_another_type_or_another_mode_of_training_leaves_the_original_as_it_was() -> None:
    _, network = made(next(iter(SETTINGS)))
    rows = batch(network)
    with torch.no_grad():
        before = network.hidden(rows)
        structural_copy(network).half()
        structural_copy(network).to(torch.float64).requires_grad_(True)
        assert torch.equal(network.hidden(rows), before)
    assert {(parameter.dtype, parameter.requires_grad) for parameter in network.parameters()} == {(torch.float32, False)}


@pytest.mark.parametrize("family", SETTINGS)
def test_the_blocks_are_the_layers_and_adapters_find_their_names(family: str) -> None:
    _, network = made(family)
    assert len(network.blocks) == network.spec.layers
    names = {name.rpartition(".")[2] for name, module in network.named_modules() if isinstance(module, torch.nn.Linear)}
    wanted = {"distilbert": {"q_lin", "v_lin"}, "deberta-v2": {"query_proj", "value_proj"}, "gpt2": {"c_attn", "c_proj"},
              "modernbert": {"Wqkv", "Wo"}, "t5": {"q", "k", "v", "o"}}  # fmt: skip
    assert wanted.get(family, {"query", "key", "value"} if family in ENCODERS else {"q_proj", "v_proj"}) <= names


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "modernbert", "llama", "gemma2", "gpt2", "t5", "bart", "m2m_100"])
def test_it_traces_to_a_graph_that_serves_other_lengths(family: str) -> None:
    _, network = made(family)

    class Positional(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *arrays: Any) -> Any:
            return self.network.hidden(dict(zip(names, arrays, strict=True)))

    rows = batch(network)
    names = tuple(rows)
    sizes = {"decoder_input_ids": torch.export.Dim("target", min=2, max=60)}
    tokens, count = torch.export.Dim("tokens", min=2, max=60), torch.export.Dim("rows", min=1, max=60)
    shapes = tuple({0: count, 1: sizes.get(name, tokens)} for name in names)
    program = torch.export.export(Positional(), tuple(rows.values()), dynamic_shapes=(shapes,), strict=False)
    other = batch(network, (7,), extra=2)
    with torch.no_grad():
        found, expected = program.module()(*other.values()), network.hidden(other)
    size = 4 if family in PAIRS else 7
    torch.testing.assert_close(found[:, :size], expected[:, :size], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", [*WRITERS, "Gemma 2 without caps", "Gemma 3 with a cap"])
def test_generation_step_by_step_is_the_whole_pass(family: str) -> None:
    """Rows of unequal length, one leaving on the way and one going on in two ways; then begun again in the middle."""
    model, network = made(family)
    rows = batch(network)
    ids, mask = rows["input_ids"], rows["attention_mask"]
    tokens = torch.tensor([[20, 21, 22, 23, 24], [30, 31, 32, 33, 34]])

    def expected(row: int, written: int, other: int | None = None) -> Any:
        source, own = ids[row : row + 1, : int(mask[row].sum())], tokens[row : row + 1, :written].clone()
        if other is not None:
            own[:, -1] = tokens[other, written - 1]
        if family in PAIRS:
            target = torch.cat([torch.zeros(1, 1, dtype=torch.long), own], 1)
            return model(input_ids=source, decoder_input_ids=target).logits[0, -1]
        return model(input_ids=torch.cat([source, own], 1)).logits[0, -1]

    with torch.no_grad():
        writing = Writing(network, ids, mask)
        for step in range(3):
            for row in range(2):
                torch.testing.assert_close(writing.logits[row], expected(row, step), atol=1e-4, rtol=1e-4)
            writing.advance(tokens[:, step])
        writing.choose([1, 1])
        writing.advance(tokens[[1, 0], 3])
        torch.testing.assert_close(writing.logits[0], expected(1, 4), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(writing.logits[1], expected(1, 4, other=0), atol=1e-4, rtol=1e-4)
        again = Writing(network, ids, mask, tokens[:, :4])
        for row in range(2):
            torch.testing.assert_close(again.logits[row], expected(row, 4), atol=1e-4, rtol=1e-4)
        again.advance(tokens[:, 4])
        torch.testing.assert_close(again.logits[1], expected(1, 5), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", [*WRITERS, "Gemma 2 without caps", "Gemma 3 with a cap"])
def test_texts_that_join_and_leave_between_two_tokens_have_the_scores_of_texts_alone(family: str) -> None:
    """A longer one joins a shorter one, then one that has just begun; the first leaves, and the last takes its place."""
    _, network = made(family)
    sources = [[5, 9, 30, 17], [40, 6, 12, 55, 7, 7, 21], [33, 8]]

    def begun(row: int) -> Any:
        ids = torch.tensor([sources[row]])
        return Writing(network, ids, torch.ones_like(ids))

    with torch.no_grad():
        alone = [begun(row) for row in range(3)]
        together = begun(0)
        for one, tokens in ((together, [20]), (alone[0], [20]), (alone[1], [24]), (alone[1], [25])):
            one.advance(torch.tensor(tokens))
        longer = begun(1)
        longer.advance(torch.tensor([24]))
        longer.advance(torch.tensor([25]))
        together.join(longer)
        together.join(begun(2))
        for order, tokens in (([0, 1, 2], [21, 26, 34]), ([2, 1], [35, 27]), ([0], [36])):
            together.choose(order)
            alone = [alone[row] for row in order]
            together.advance(torch.tensor(tokens))
            for place, (one, token) in enumerate(zip(alone, tokens, strict=True)):
                one.advance(torch.tensor([token]))
                torch.testing.assert_close(together.logits[place], one.logits[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", [family for family in WRITERS if family not in PAIRS])
def test_rows_that_are_parted_go_on_as_they_would_have_in_one_pass_or_several(family: str) -> None:
    _, network = made(family)
    rows = batch(network)
    tokens = torch.tensor([[20, 21, 22], [30, 31, 32]])
    with torch.no_grad():
        whole = Writing(network, rows["input_ids"], rows["attention_mask"])
        parts = [whole.parted([row]) for row in (1, 0)]
        for step in range(3):
            whole.advance(tokens[:, step])
            advance(parts, [tokens[1:, step], tokens[:1, step]])
            torch.testing.assert_close(torch.cat([one.logits for one in parts[::-1]]), whole.logits, atol=1e-4, rtol=1e-4)
    if type(network).together is Network.together:
        with pytest.raises(NotSupported, match=r"(?s)'tiny' reads each batch in a pass of its own.*reads_together"):
            network.together([])


def test_every_family_is_tested_here() -> None:
    own_ones = {entry.name for entry in entries("families") if entry.distribution == "functory-sdk"}
    assert set(SETTINGS) == own_ones <= set(family_names())


def test_an_unknown_family_is_named_with_those_that_are_known() -> None:
    model, network = made("bert")
    with pytest.raises(NotSupported, match=r"(?s)'tiny' is of the family 'bloom'.*bert.*modernbert"):
        network_from(model, network.spec.model_copy(update={"family": "bloom"}))


def test_what_a_network_a_head_or_a_model_cannot_do_is_said_with_a_remedy() -> None:
    from functory_sdk.torch import Head, Model

    class Silent(Head):
        def forward(self, features: Any, batch: Any) -> Any:
            return {}

    _, network = made("bert")
    attempts = (
        lambda: network.logits(None),  # type: ignore[arg-type]
        lambda: network.resume({}, None),
        lambda: Silent(network.spec, None).losses({}, {}),
        lambda: Model(network, None, (), (), None).apply_head(None, {}),  # type: ignore[arg-type]
    )
    for attempt in attempts:
        with pytest.raises(NotSupported) as caught:
            attempt()
        assert caught.value.do

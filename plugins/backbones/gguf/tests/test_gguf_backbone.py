"""Each architecture computes what transformers' own model computes, and a damaged file is told as what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_gguf import GgufModel
from functory_sdk import DataError, FunctoryError, NotSupported, Tokenizer, WeightsMissing, open_backbone
from functory_sdk.gguf import Gguf, convert
from functory_sdk.gguf.blocks import TYPES
from functory_sdk.testing import BackboneSuite

pytestmark = pytest.mark.usefixtures("own_cache")

LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip
MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Llama": ("llama", "llama", {"tie_word_embeddings": False}),
    "Llama with biases": ("llama", "llama", {"attention_bias": True}),
    "Llama with biases of queries alone": ("llama", "llama", {"attention_bias": True}),
    "Llama 3.1": ("llama", "llama", {"rope_parameters": LLAMA3}),
    "Llama with positions scaled": (
        "llama", "llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 2.0}},
    ),
    "Qwen 2": ("qwen2", "qwen2", {}),
    "Qwen 3": ("qwen3", "qwen3", {"tie_word_embeddings": True}),
    "Gemma": ("gemma", "gemma", {}),
    "Gemma 2": ("gemma2", "gemma2", {"sliding_window": 4, "query_pre_attn_scalar": 8, "attn_logit_softcapping": 2.0,
                                     "final_logit_softcapping": 3.0, "num_hidden_layers": 3}),
    "Gemma 3": ("gemma3_text", "gemma3", {"sliding_window": 4, "query_pre_attn_scalar": 8, "num_hidden_layers": 7}),
}  # fmt: skip


class TestGguf(BackboneSuite):
    component = "gguf"

    @pytest.fixture(autouse=True)
    def put(self, tmp_path_factory: pytest.TempPathFactory, tools: Any) -> None:
        file = tmp_path_factory.getbasetemp() / "suite.gguf"
        if not file.exists():
            about = tools.bytewise("llama-bpe")
            model = tools.model_of("llama", len(about["tokenizer.ggml.tokens"]))
            file.write_bytes(tools.packed({**tools.fields_of(model, "llama"), **about}, tools.tensors_of(model, "llama")))
        type(self).place = str(file)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_gives_the_scores_of_transformers_own(name: str, tools: Any, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    family, architecture, settings = MODELS[name]
    about = tools.pieces(begins=False) if "gemma" in architecture else tools.bytewise("qwen2")
    size = len(about["tokenizer.ggml.tokens"])
    model = tools.model_of(family, size, **settings)
    fields = {**tools.fields_of(model, architecture), **about}
    tensors = tools.tensors_of(model, architecture)
    if name.endswith("alone"):
        for layer in range(2):
            del tensors[f"blk.{layer}.attn_output.bias"]
            model.model.layers[layer].self_attn.o_proj.bias.data.zero_()
    if name == "Llama 3.1":
        plain = 10_000.0 ** -(np.arange(0, 8, 2) / 8)
        slower = (plain / model.model.rotary_emb.inv_freq.numpy()).astype("<f4")
        assert slower.max() > 1.5
        tensors["rope_freqs.weight"] = (0, slower.shape, slower.tobytes())
    if name.endswith("scaled"):
        fields |= {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 2.0}
    if architecture == "gemma3":
        fields["gemma3.rope.freq_base"] = 1_000_000.0
    path = tmp_path / "model.gguf"
    path.write_bytes(tools.packed(fields, tensors))
    backbone = open_backbone(f"gguf:{path}")
    ids = torch.randint(3, size, (2, 13), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    with torch.no_grad():
        ours = backbone.network.logits(backbone.network.hidden({"input_ids": ids, "attention_mask": mask}))
        theirs = model(input_ids=ids, attention_mask=mask).logits
    torch.testing.assert_close(ours[mask > 0], theirs[mask > 0], atol=2e-5, rtol=1e-4)
    assert (backbone.spec.family, backbone.spec.layers) == (family, settings.get("num_hidden_layers", 2))


def test_its_facts_are_those_of_the_file(write: Callable[..., Path]) -> None:
    path = write()
    spec = open_backbone(f"gguf:{path}").spec
    assert (spec.architecture, spec.context, spec.width, spec.pooling) == ("decoder", 64, 32, "last")
    assert (spec.licence, spec.languages, spec.end_ids, spec.reference) == ("mit", ("en", "zh"), (1, 2), f"gguf:{path}")
    assert spec.parameters == sum(parameter.numel() for parameter in open_backbone(f"gguf:{path}").network.parameters())
    assert "{% set bos_token = '<s>' %}" in spec.chat_template


def test_a_function_is_made_of_it_and_finds_it_again(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write()
    monkeypatch.chdir(path.parent)
    rows = [{"text": f"the {word}", "label": word} for word in ("sea", "sun")] * 8
    made = functory.build(task="text-classification", train=rows, backbone="gguf:./model.gguf", adaptation="head")
    made.save("made")
    monkeypatch.chdir("/")
    assert functory.load(path.parent / "made")("the sea").label == made("the sea").label == "sea"


@pytest.mark.parametrize(
    ("pre", "text", "tokens"),
    [
        ("gpt-2", "the the12", ["the", "Ġthe", "12"]),
        ("smollm", "the 12", ["the", "Ġ", "1", "2"]),
        ("qwen2", "12 the", ["1", "2", "Ġthe"]),
        ("llama-bpe", "12 the", ["<s>", "12", "Ġthe"]),
        ("gpt-2", "<note>the</s>", ["<note>", "the", "<", "/", "s", ">"]),
    ],
)
def test_a_text_is_split_as_the_files_name_for_it_says(
    pre: str, text: str, tokens: list[str], write: Callable[..., Path]
) -> None:
    tokenizer = GgufModel(place=str(write({"tokenizer.ggml.pre": pre}))).tokenizer
    before, _, after = tokenizer.frame
    ids = [*before, *tokenizer.tokens([text])[0].ids, *after]
    assert [tokenizer.token(int(one)) for one in ids] == tokens


@pytest.mark.parametrize("begins", [True, False])
def test_sentencepiece_joins_what_scores_highest_and_spells_the_rest(begins: bool, tools: Any, tmp_path: Path) -> None:
    about = tools.pieces(begins=begins)
    model = tools.model_of("llama", len(about["tokenizer.ggml.tokens"]))
    path = tmp_path / "model.gguf"
    path.write_bytes(tools.packed({**tools.fields_of(model, "llama"), **about}, tools.tensors_of(model, "llama")))
    convert(path, tmp_path, lambda done, total: None)
    tokenizer = Tokenizer(tmp_path / "tokenizer.json")
    [read] = tokenizer.tokens(["the sea 好é"])
    first = ["▁the"] if begins else ["t", "he"]
    assert [tokenizer.token(int(one)) for one in read.ids] == [*first, "▁sea", "▁", "好", "<0xC3>", "<0xA9>"]
    assert tokenizer.text(read.ids.tolist()) == "the sea 好é"
    assert [tokenizer.token(int(one)) for one in tokenizer.frame[0]] == ["<s>"]
    assert ["the sea 好é"[start:end].strip() for start, end in read.offsets][-4:-2] == ["", "好"]


# -- weights ------------------------------------------------------------------------------------------------


def scalar(kind: str, raw: bytes) -> list[float]:
    """Unpack one block weight by weight, as ggml's own loops do."""
    half = lambda place: float(np.frombuffer(raw, "<f2", 1, place)[0])  # noqa: E731
    if kind in ("Q4_0", "Q4_1", "Q5_0", "Q5_1"):
        is_shifted, has_fifth = kind.endswith("1"), kind.startswith("Q5")
        begin = 4 if is_shifted else 2
        high = int.from_bytes(raw[begin : begin + 4], "little") if has_fifth else 0
        begin += 4 if has_fifth else 0
        numbers = []
        for place in range(32):
            number = raw[begin + place % 16] >> (4 * (place // 16)) & 15 | (high >> place & 1) << 4
            least = half(2) if is_shifted else -half(0) * (16 if has_fifth else 8)
            numbers.append(half(0) * number + least)
        return numbers
    if kind == "Q6_K":
        numbers = [0.0] * 256
        for place in range(256):
            part, inner = divmod(place, 128)
            stretch, column = divmod(inner, 32)
            low = raw[64 * part + 32 * (stretch % 2) + column] >> (4 * (stretch // 2)) & 15
            high = raw[128 + 32 * part + column] >> (2 * stretch) & 3
            factor = int.from_bytes(raw[192 + 8 * part + 2 * stretch + column // 16 :][:1], "little", signed=True)
            numbers[place] = half(208) * factor * ((low | high << 4) - 32)
        return numbers
    packed, numbers = raw[4:16], []
    for place in range(256):
        stretch, column = divmod(place, 32)
        if stretch < 4:
            factor, least = packed[stretch] & 63, packed[stretch + 4] & 63
        else:
            factor = packed[stretch + 4] & 15 | packed[stretch - 4] >> 6 << 4
            least = packed[stretch + 4] >> 4 | packed[stretch] >> 6 << 4
        begin = 48 if kind == "Q5_K" else 16
        number = raw[begin + 32 * (stretch // 2) + column] >> (4 * (stretch % 2)) & 15
        number += 16 * (raw[16 + column] >> stretch & 1) if kind == "Q5_K" else 0
        numbers.append(half(0) * factor * number - half(2) * least)
    return numbers


@pytest.mark.parametrize("kind", [type.name for type in TYPES.values() if type.name in ("Q4_0", "Q4_1") or type.name[1] in "56"
                                  or type.name.endswith("K")])  # fmt: skip
def test_blocks_are_unpacked_weight_by_weight_as_ggml_does(kind: str) -> None:
    type_ = next(one for one in TYPES.values() if one.name == kind)
    draw = np.random.default_rng(0)
    raw = draw.integers(0, 256, (3, type_.bytes), dtype=np.uint8)
    halves = [208] if kind == "Q6_K" else [0, 2] if kind.endswith(("K", "1")) else [0]
    for place in halves:
        raw[:, place : place + 2] = draw.normal(size=(3, 1)).astype("<f2").view(np.uint8)
    found = type_.unpack(raw.reshape(-1)).reshape(3, -1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [scalar(kind, row.tobytes()) for row in raw], rtol=1e-5, atol=1e-5)


@pytest.mark.peer(name="gguf")
@pytest.mark.parametrize("kind", TYPES)
def test_blocks_are_unpacked_as_the_gguf_package_does(kind: int) -> None:
    quants = pytest.importorskip("gguf.quants")
    constants = pytest.importorskip("gguf.constants")
    random = np.random.default_rng(kind)
    theirs = constants.GGMLQuantizationType(kind)
    if kind in (12, 13, 14):  # which that package only reads
        packed = random.integers(0, 256, 64 * TYPES[kind].bytes, dtype=np.uint8)
        packed.reshape(64, -1)[:, [1, 3, 209] if kind == 14 else [1, 3]] &= 0x3B  # no NaN, no infinity
    else:
        packed = quants.quantize(random.normal(size=64 * 256).astype(np.float32), theirs).view(np.uint8)
    found = TYPES[kind].unpack(packed)
    assert np.array_equal(found.reshape(-1), quants.dequantize(packed, theirs).reshape(-1))


def test_halves_of_either_kind_are_read(write: Callable[..., Path], tmp_path: Path) -> None:
    numbers = np.array([1.0, -2.5, 0.0, 3.140625] * 8, "<f4")
    wide = (numbers.view("<u4") >> 16).astype("<u2").tobytes()
    for kind, raw in ((1, numbers.astype("<f2").tobytes()), (30, wide), (8, None)):
        if raw is None:
            raw = np.float16(0.5).tobytes() + np.arange(-16, 16, dtype="i1").tobytes()
        gguf = Gguf(write(tensors={"output_norm.weight": (kind, (32,), raw)}))
        wanted = np.arange(-16, 16) * 0.5 if kind == 8 else numbers
        assert gguf.tensor("output_norm.weight", 32).tolist() == wanted.tolist()


# -- what is not read, and what is damaged ------------------------------------------------------------------


FIELDS: dict[str, tuple[dict[str, Any], type[FunctoryError], str]] = {
    "another architecture": ({"general.architecture": "bert"}, NotSupported, "its architecture is 'bert'.*llama, qwen2"),
    "experts": ({"llama.expert_count": 8}, NotSupported, "a mixture of 8 experts"),
    "a scale": ({"llama.rope.scaling.type": "yarn"}, NotSupported, "positions are scaled by 'yarn'"),
    "a part": ({"llama.rope.dimension_count": 4}, NotSupported, "rotates a part of each head"),
    "a window": ({"llama.attention.sliding_window": 8}, NotSupported, "see a window of 8 tokens"),
    "another tokenizer": ({"tokenizer.ggml.model": "t5"}, NotSupported, "tokenizer is of the kind 't5'"),
    "another split": ({"tokenizer.ggml.pre": "tekken"}, NotSupported, "split by 'tekken'.*known are gpt-2, smollm"),
    "no split": ({"tokenizer.ggml.pre": ...}, NotSupported, "split by ''"),
    "no layers": ({"llama.block_count": ...}, DataError, "has no field 'llama.block_count'"),
    "more layers": ({"llama.block_count": 3}, DataError, "has no tensor 'blk.2.attn_norm.weight'"),
    "layers without end": ({"llama.block_count": 4_000_000_000}, DataError, "has no tensor 'blk.2.attn_norm.weight'"),
    "fewer layers": ({"llama.block_count": 1}, NotSupported, "it holds 'blk.1.attn_k.weight' and 8 more, for which no layer"),
    "layers in words": ({"llama.block_count": "two"}, DataError, "llama.block_count is 'two', no whole number"),
    "no heads": ({"llama.attention.head_count": 0}, DataError, "head_count is 0, no whole number of 1 or more"),
    "other heads": ({"llama.attention.head_count": 2}, DataError, r"attn_q.weight has shape \(32, 32\); expected was \(16, 32\)"),
    "no number": ({"llama.rope.freq_base": float("nan")}, DataError, "freq_base is nan, no number"),
    "no alignment": ({"general.alignment": 0}, DataError, "alignment is 0"),
    "tokens that are numbers": ({"tokenizer.ggml.tokens": [1, 2]}, DataError, "tokens is .1, 2., no list of str"),
    "few types": ({"tokenizer.ggml.token_type": [1, 1]}, DataError, "264 tokens and 2 types"),
    "a token twice": ({"tokenizer.ggml.tokens": ["a"] * 264}, DataError, "the token 'a' is there twice"),
    "an odd merge": ({"tokenizer.ggml.merges": ["x yz"]}, DataError, "the merge 'x yz' does not join"),
    "an end beyond": ({"tokenizer.ggml.eos_token_id": 9999}, DataError, "eos_token_id is 9,999; it has 264 tokens"),
    "a template of numbers": ({"tokenizer.chat_template": 3}, DataError, "chat_template is 3, no text"),
}  # fmt: skip


@pytest.mark.parametrize("case", FIELDS)
def test_a_file_gives_the_true_reason_before_anything_is_written(case: str, write: Callable[..., Path], tmp_path: Path) -> None:
    fields, kind, message = FIELDS[case]
    path = write(fields)
    folder = tmp_path / "made"
    folder.mkdir()
    with pytest.raises(kind, match=f"(?s)model.gguf: .*{message}") as caught:
        convert(path, folder, lambda done, total: None)
    assert str(path) in caught.value.where
    assert caught.value.do
    assert not list(folder.iterdir())


TENSORS: dict[str, tuple[dict[str, Any], type[FunctoryError], str]] = {
    "an unknown type": ({"output_norm.weight": (10, (32,), b"")}, NotSupported, "of the type Q2_K, which is not read here"),
    "a type without a name": ({"output_norm.weight": (999, (32,), b"")}, NotSupported, "of the type 999"),
    "half a block": ({"output_norm.weight": (2, (33,), bytes(18))}, DataError, r"the sizes \[33\]; a row of Q4_0 holds"),
    "no sizes": ({"output_norm.weight": (0, (), b"")}, DataError, "has 0 dimensions"),
    "nothing": ({"output_norm.weight": (0, (0,), b"")}, DataError, r"the sizes \[0\]"),
    "a giant": ({"output_norm.weight": (0, (2**40, 2**20), b"")}, DataError, "ends too early"),
    "one more": ({"blk.0.attn_gate.weight": (0, (32,), bytes(128))}, NotSupported, "attn_gate.weight', for which no layer"),
    "one less": ({"blk.1.ffn_up.weight": ...}, DataError, "has no tensor 'blk.1.ffn_up.weight'"),
}  # fmt: skip


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_do_not_fit_are_named(case: str, write: Callable[..., Path], tmp_path: Path) -> None:
    tensors, kind, message = TENSORS[case]
    with pytest.raises(kind, match=message):
        convert(write(tensors=tensors), tmp_path, lambda done, total: None)


def test_a_file_cut_anywhere_or_with_any_byte_changed_ends_in_an_error_or_a_model(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write()
    whole, folder = path.read_bytes(), tmp_path / "made"
    folder.mkdir()
    for size in [*range(0, 9000, 97), *range(9000, len(whole), 9973), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"model\.gguf"):
            convert(path, folder, lambda done, total: None)
    assert not list(folder.iterdir())
    draw = np.random.default_rng(0)
    for place in draw.integers(0, 9000, 150):
        changed = bytearray(whole)
        changed[place] ^= int(draw.integers(1, 256))
        path.write_bytes(changed)
        with suppress(FunctoryError):  # and nothing else
            convert(path, folder, lambda done, total: None)


def test_lists_in_lists_are_refused_and_not_followed(tmp_path: Path) -> None:
    import struct

    nested = struct.pack("<IQ", 9, 1) * 200_000
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<I", 9) + nested)
    with pytest.raises(DataError, match="a is a list of a type 9, which is not read here"):
        Gguf(path)


def test_a_place_that_is_no_file_is_told(tmp_path: Path, write: Callable[..., Path]) -> None:
    for place, message in (("", "no weights of its own"), ("./none.gguf", r"there is no file \./none\.gguf")):
        with pytest.raises(WeightsMissing, match=message) as caught:
            GgufModel(place=place).locate()
        assert "gguf:./model.gguf" in caught.value.do
    with pytest.raises(WeightsMissing, match="is a folder") as caught:
        GgufModel(place=str(write().parent)).locate()
    assert caught.value.do.endswith("/model.gguf.")
    assert json.loads(json.dumps(caught.value.as_json()))

"""Every family that writes, small and random: greedy and by beams, to the token what transformers' generate writes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from functory_sdk import BackboneSpec, Decoding, Program, Request, Session, SessionOptions, texts  # noqa: E402
from functory_sdk.families import family_names, family_of  # noqa: E402
from functory_sdk.lines import search  # noqa: E402
from functory_sdk.torch import Model, network_from  # noqa: E402
from functory_torch import TorchEngine  # noqa: E402
from functory_torch import session as session_module  # noqa: E402
from functory_torch.batch import Batch  # noqa: E402

PAD, END, VOCABULARY = 1, 3, 61
LLAMA = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
         "num_key_value_heads": 1, "head_dim": 8}  # fmt: skip
BART = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
        "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 64, "decoder_start_token_id": 0,
        "forced_eos_token_id": None}  # fmt: skip
WINDOWS = {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": LLAMA, "gemma": LLAMA, "qwen3": LLAMA, "mistral": {**LLAMA, "sliding_window": 4},
    "qwen2": {**LLAMA, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    "gemma2": {**LLAMA, **WINDOWS, "query_pre_attn_scalar": 8, "final_logit_softcapping": 3.0},
    "gemma3_text": {**LLAMA, **WINDOWS},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "bart": BART, "marian": BART, "mbart": BART, "m2m_100": BART,
    "t5": {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_heads": 2, "num_layers": 1, "decoder_start_token_id": 0},
}  # fmt: skip
PROMPTS = ((5, 9, 30, 17, 22, 8), (40, 6), (12, 55, 7, 7))


@lru_cache(maxsize=1)
def made(family: str) -> tuple[Any, Session]:
    """Return a random model whose texts end now and then, as transformers has it, and a session on it."""
    torch.manual_seed(4)
    special = {"pad_token_id": PAD, "bos_token_id": 2, "eos_token_id": END, "vocab_size": VOCABULARY}
    config = transformers.AutoConfig.for_model(family, **FAMILIES[family], **special)
    known = family_of(family)
    kind = "AutoModelForSeq2SeqLM" if known.architecture == "encoder-decoder" else "AutoModelForCausalLM"
    model = getattr(transformers, kind).from_config(config, attn_implementation=known.attention).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        model.get_output_embeddings().weight[END] *= 1.5
    is_pair = known.architecture == "encoder-decoder"
    spec = BackboneSpec(
        reference="tiny", architecture=known.architecture, family=family, width=16, layers=2, decoder_layers=1 if is_pair else 0,
        vocabulary=VOCABULARY, context=64, pad_id=PAD, start_id=0 if is_pair else None, weights_hash="0", has_logits=True,
    )  # fmt: skip
    adapted = Model(network_from(model, spec).eval(), None, spec.ports(), (), spec.points).eval()
    return model, TorchEngine().open(Program("generate", spec.ports(), model=adapted), SessionOptions())


def theirs(model: Any, ids: tuple[int, ...], **options: Any) -> list[list[int]]:
    """Return what transformers writes: of each text the tokens before its end."""
    given = torch.tensor([ids])
    with torch.inference_mode():
        rows = model.generate(
            given, attention_mask=torch.ones_like(given), do_sample=False, pad_token_id=PAD, **{"max_new_tokens": 10, **options}
        )
    found = [row[1 if model.config.is_encoder_decoder else len(ids) :].tolist() for row in rows]
    return [one[: one.index(END)] if END in one else one for one in found]


def ours(session: Session, start: tuple[int, ...] = (), never: tuple[int, ...] = (), **decoding: Any) -> list[list[list[int]]]:
    how = Decoding(max_new_tokens=10 - len(start), **decoding)
    requests = [Request(ids, how, frozenset({END}), start=start, never=frozenset(never)) for ids in PROMPTS]
    return [[row["tokens"].tolist() for row in rows] for rows in texts(requests, session.generate(requests))]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_likeliest_tokens_are_those_of_transformers(family: str) -> None:
    model, session = made(family)
    assert ours(session) == [theirs(model, ids) for ids in PROMPTS]
    penalty = {"repetition_penalty": 1.3}
    assert ours(session, **penalty) == [theirs(model, ids, **penalty) for ids in PROMPTS]


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_that_join_where_others_have_left_are_those_of_transformers(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, session = made(family)
    ids = [PROMPTS[place % 3][: 1 + place % 4] for place in range(9)]
    requests = [Request(one, Decoding(max_new_tokens=3 + place), frozenset({END})) for place, one in enumerate(ids)]
    room = sum(len(one.ids) + one.decoding.max_new_tokens for one in requests[-3:])
    monkeypatch.setattr(session_module, "WRITTEN", 1)
    monkeypatch.setattr(session_module, "BUDGET", room)  # about three at a time
    joined: list[int] = []
    join = Batch.join
    monkeypatch.setattr(Batch, "join", lambda self, some: (joined.append(len(self)), join(self, some))[1])
    found = texts(requests, session.generate(requests))
    assert any(joined), "none joined where others were being written"
    for request, [row] in zip(requests, found, strict=True):
        [expected] = theirs(model, request.ids, max_new_tokens=request.decoding.max_new_tokens)
        assert row["tokens"].tolist() == expected


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("penalty", [1.0, 0.0, 2.5])
def test_beams_find_the_texts_that_transformers_finds(family: str, penalty: float) -> None:
    model, session = made(family)
    found = ours(session, beams=4, length_penalty=penalty, samples=3)
    assert found == [theirs(model, ids, num_beams=4, num_return_sequences=3, length_penalty=penalty) for ids in PROMPTS]
    assert ours(session, beams=4, length_penalty=penalty) == [some[:1] for some in found]


@pytest.mark.parametrize("family", ["bart", "m2m_100", "t5"])
def test_a_language_to_begin_with_and_tokens_that_never_come_are_as_in_transformers(family: str) -> None:
    model, session = made(family)
    for how in ({}, {"repetition_penalty": 1.3}, {"beams": 4, "length_penalty": 2.0}):
        free = ours(session, start=(33,), **how)
        never = sorted({token for [text] in free for token in text[:2]})
        options = {"num_beams" if name == "beams" else name: value for name, value in how.items()}
        bad = [[token] for token in never]
        expected = [theirs(model, ids, forced_bos_token_id=33, bad_words_ids=bad, **options) for ids in PROMPTS]
        found = ours(session, start=(33,), never=tuple(never), **how)
        assert [[33, *text] for [text] in found] == [text for [text] in expected]
        assert found != free, "nothing was forbidden that would have come"


@pytest.mark.parametrize("family", ["bart", "llama"])
def test_what_texts_start_with_may_differ_within_a_call_and_counts_in_their_likelihood(family: str) -> None:
    _, session = made(family)
    how = Decoding(max_new_tokens=6, likelihoods=True)
    requests = [Request(PROMPTS[place % 3], how, start=start) for place, start in enumerate([(), (7,), (7, 8), (9,)])]
    together = [row for [row] in texts(requests, session.generate(requests))]
    likely = session.likelihood(requests, [row["tokens"].tolist() for row in together])
    for request, row, found in zip(requests, together, likely, strict=True):
        [[alone]] = texts([request], session.generate([request]))
        assert alone["tokens"].tolist() == row["tokens"].tolist()
        assert len(row["tokens"]) == 6
        torch.testing.assert_close(torch.tensor(row["log_probability"]), torch.tensor(found), atol=1e-4, rtol=1e-4)
    one, other = (torch.tensor(together[place]["log_probability"]) for place in (0, 3))  # one prompt, two starts
    assert not torch.allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5", "marian"])
@pytest.mark.parametrize("close", [0.0, 1e9])
def test_searches_are_the_same_beside_each_other_and_beside_texts_that_join_and_leave(
    family: str, close: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where everything is called close, each step is decided by searching alone: the two ways agree."""
    _, session = made(family)
    ways: tuple[dict[str, Any], ...] = ({"beams": 3, "samples": 2}, {}, {"beams": 4, "length_penalty": 2.0}, {"beams": 2})
    requests = [
        Request(PROMPTS[place % 3][: 1 + place % 4], Decoding(max_new_tokens=3 + place, likelihoods=True, **ways[place % 4]),
                frozenset({END}))
        for place in range(10)
    ]  # fmt: skip
    expected = [texts([one], session.generate([one]))[0] for one in requests]
    monkeypatch.setattr(search, "CLOSE", close)
    monkeypatch.setattr(session_module, "WRITTEN", 1)
    monkeypatch.setattr(session_module, "BUDGET", 150)  # some at a time
    sizes: list[int] = []
    step = Batch.step
    monkeypatch.setattr(Batch, "step", lambda self: (sizes.append(len(self)), step(self))[1])
    found = texts(requests, session.generate(requests))
    assert max(sizes) > 2
    for one, other in zip(expected, found, strict=True):
        assert [row["tokens"].tolist() for row in other] == [row["tokens"].tolist() for row in one]
        for row, again in zip(one, other, strict=True):
            one_by_one, together = (torch.tensor(each["log_probability"]) for each in (row, again))
            torch.testing.assert_close(together, one_by_one, atol=1e-4, rtol=0)
    tokens = [session.submit(one) for one in requests]
    for request, one, some in zip(requests, expected, tokens, strict=True):
        assert [row["tokens"].tolist() for row in texts([request], some)[0]] == [row["tokens"].tolist() for row in one]


def test_beams_with_a_penalty_on_repetition_are_transformers_own_and_some_texts_end_early() -> None:
    model, session = made("llama")
    found = ours(session, beams=3, repetition_penalty=1.4, samples=3)
    expected = [
        theirs(model, ids, num_beams=3, num_return_sequences=3, repetition_penalty=1.4) for ids in PROMPTS
    ]
    assert found == expected
    lengths = {len(one) for some in found for one in some}
    assert lengths & {10}
    assert lengths - {10}, "no text ended before its length: nothing was tried of that"


def test_the_score_of_a_beams_text_is_its_log_probabilities() -> None:
    _, session = made("gpt2")
    request = Request(PROMPTS[0], Decoding(max_new_tokens=10, beams=4, samples=4, likelihoods=True), frozenset({END}))
    [rows] = texts([request], session.generate([request]))
    scores = []
    for row in rows:
        tokens = row["tokens"].tolist()
        [likely] = session.likelihood([request], [tokens])
        torch.testing.assert_close(torch.tensor(row["log_probability"]), torch.tensor(likely), atol=1e-4, rtol=1e-4)
        scores.append(float(likely.sum()) / len(likely))
    assert scores == sorted(scores, reverse=True)
    one = Request(request.ids, Decoding(max_new_tokens=10), request.stop_ids)
    [[greedy]] = texts([one], session.generate([one]))
    [likely] = session.likelihood([one], [greedy["tokens"].tolist()])
    assert scores[0] >= float(likely.sum()) / len(likely) - 1e-5, "the likeliest token each time is likelier than the search"


def test_every_family_that_writes_is_tried_here() -> None:
    found = {name: family_of(name) for name in family_names()}
    ours = {name for name, family in found.items() if type(family).__module__.startswith("functory_sdk.")}
    assert set(FAMILIES) >= {name for name in ours if found[name].architecture != "encoder"}

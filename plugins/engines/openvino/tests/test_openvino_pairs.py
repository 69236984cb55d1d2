"""Encoder-decoders without torch: what the torch form writes, by every way of writing, whoever joins and leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from functory_openvino import OpenVINOEngine  # noqa: E402
from functory_sdk import (  # noqa: E402
    ArtefactCorrupt,
    BackboneSpec,
    Decoding,
    NotSupported,
    Program,
    Request,
    SessionOptions,
    texts,
)
from functory_sdk.families import family_names, family_of  # noqa: E402
from functory_sdk.testing.suite import in_subprocess  # noqa: E402
from functory_sdk.torch import Model, network_from  # noqa: E402

BART = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
        "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 64}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "bart": BART, "marian": BART, "mbart": BART, "m2m_100": BART,
    "t5": {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_heads": 2, "num_layers": 2},
    "marian-ssru": {"d_model": 16, "d_inner": 24, "heads": 2, "encoder_layers": 1, "decoder_layers": 2,
                    "max_position_embeddings": 64},
}  # fmt: skip
WAYS: tuple[dict[str, Any], ...] = (
    {"beams": 4, "samples": 3}, {"beams": 3, "length_penalty": 2.5, "repetition_penalty": 1.3}, {}, {"repetition_penalty": 1.3},
    {"temperature": 0.9, "top_k": 20, "samples": 2, "seed": 5}, {"temperature": 1.2, "top_p": 0.7, "min_p": 0.02},
)  # fmt: skip
END, VOCABULARY = 3, 61
PROMPTS = ((5, 9, 30, 17, 22, 8), (40, 6), (7,), tuple(range(10, 50)))


@cache
def program_of(family: str) -> Program:
    """Return the torch form of a random model."""
    if family not in family_names():
        pytest.skip(f"no distribution with the family {family} is installed")
    torch.manual_seed(4)
    special = {"pad_token_id": 1, "bos_token_id": 2, "eos_token_id": END, "decoder_start_token_id": 0, "vocab_size": VOCABULARY}
    known, told = family_of(family), {**FAMILIES[family], **special}
    if family == "marian-ssru":
        model = known.model(told).eval()
    else:
        config = transformers.AutoConfig.for_model(family, **told)
        model = transformers.AutoModelForSeq2SeqLM.from_config(config, attn_implementation=known.attention).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    spec = BackboneSpec(
        reference="tiny", architecture="encoder-decoder", family=family, width=16, layers=3, decoder_layers=2,
        vocabulary=VOCABULARY, context=64, pad_id=1, start_id=0, weights_hash="0", has_logits=True,
    )  # fmt: skip
    adapted = Model(network_from(model, spec).eval(), None, spec.ports(), (), spec.points).eval()
    return Program("generate", spec.ports(), model=adapted)


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A small BART, converted."""
    return OpenVINOEngine().convert(program_of("bart"), tmp_path_factory.mktemp("form"), precision="fp32")


@pytest.fixture
def session(form: Program) -> Iterator[Any]:
    opened = OpenVINOEngine().open(form, SessionOptions(threads=1))
    yield opened
    opened.close()


def asked(prompts: Any = PROMPTS, start: tuple[int, ...] = (), **decoding: Any) -> list[Request]:
    return [Request(ids, Decoding(**{"max_new_tokens": 10, **decoding}), frozenset({END}), start=start) for ids in prompts]


def written(session: Any, requests: list[Request]) -> list[list[list[int]]]:
    return [[row["tokens"].tolist() for row in rows] for rows in texts(requests, session.generate(requests))]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_encoder_decoder_writes_what_its_torch_form_writes(family: str, tmp_path: Path) -> None:
    from functory_torch import TorchEngine

    program = program_of(family)
    theirs = TorchEngine().open(program, SessionOptions(threads=1))
    ours = OpenVINOEngine().open(OpenVINOEngine().convert(program, tmp_path, precision="fp32"), SessionOptions(threads=1))
    [[free], *_] = written(theirs, asked())
    ends, lengths = frozenset({END, *free[4:5]}), set[int]()
    for start in ((), (33, 8)):
        for how in WAYS:
            requests = [replace(one, stop_ids=ends) for one in asked(start=start, **how)]
            expected = written(theirs, requests)
            assert written(ours, requests) == expected, how
            lengths |= {len(text) for some in expected for text in some}
    assert len(lengths) > 1, "no text ended before its length"
    told = [some[0] for some in expected]
    for one, other in zip(theirs.likelihood(asked(), told), ours.likelihood(asked(), told), strict=True):
        assert other == pytest.approx(one, abs=1e-4)


@pytest.mark.parametrize("close", [0.0, 1e9])
def test_a_text_is_the_same_whoever_joins_and_leaves(session: Any, close: float, monkeypatch: Any) -> None:
    """Where everything is called close, each step is decided by reading alone: the two ways agree."""
    ways = ({}, {"temperature": 0.7}, {"beams": 3}, {"temperature": 1.1, "samples": 2})
    requests = [
        asked([(5, 9, 30 + index, *range(4, 4 + 3 * index))], max_new_tokens=4 + index, **ways[index % 4])[0]
        for index in range(12)
    ]
    alone = [written(session, [one])[0] for one in requests]
    monkeypatch.setattr("functory_sdk.choosing.CLOSE", close)
    monkeypatch.setattr("functory_sdk.lines.search.CLOSE", close)
    monkeypatch.setattr(session, "_budget", 150)  # some at a time

    def stream(index: int) -> list[Any]:
        tokens = session.submit(requests[index])
        found = [(token.sample, token.id) for token in islice(tokens, 3 if index % 3 == 2 else None) if token.is_written]
        tokens.close()
        return found

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(stream, range(12)))
    for index, tokens in enumerate(found):
        for sample, whole in enumerate(alone[index]):
            own = [token for number, token in tokens if number == sample]
            assert own == (whole[: len(own)] if index % 3 == 2 else whole), index
    assert not session._members
    assert not len(session._rows)
    assert [written(session, requests)[place] for place in range(12)] == alone


def test_an_error_in_one_text_is_its_own(session: Any) -> None:
    def fails(tokens: Any) -> bool:
        raise ValueError("no such thing")

    expected = written(session, asked())
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(written, session, asked())
        with pytest.raises(ValueError, match="no such thing"):
            list(session.generate([replace(asked()[0], ends=fails)]))
        assert beside.result() == expected


def test_rows_are_stored_in_no_more_places_than_some_times_what_they_need(session: Any) -> None:
    written(session, asked([PROMPTS[3]], max_new_tokens=50))
    assert max(array.shape[2] for array in session._rows._stored.values()) >= 48
    for _ in range(2):
        written(session, asked([(5, 6)] * 3, max_new_tokens=4))
    assert {len(array) for array in session._rows._stored.values()} == {3}
    assert np.isfinite(np.concatenate([array.ravel() for array in session._rows._stored.values()])).all()


def test_a_closed_session_writes_nothing_and_says_so(form: Program) -> None:
    session = OpenVINOEngine().open(form, SessionOptions(threads=1))
    begun = session.generate(asked())
    next(begun)
    session.close()
    for tokens in (begun, session.generate(asked())):
        with pytest.raises(NotSupported, match="closed"):
            list(tokens)
    with pytest.raises(NotSupported, match="closed"):
        session.likelihood(asked(), [[5], [6], [7], [8]])


def test_graphs_that_compute_something_else_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from functory_openvino import rows

    whole = rows.Rows.advance

    def forgets(self: Any, tokens: Any) -> Any:
        found = whole(self, tokens)
        self.reads = self.reads * 0  # what was written before
        return found

    monkeypatch.setattr(rows.Rows, "advance", forgets)
    for precision in ("fp32", "int8"):
        with pytest.raises(NotSupported, match="OpenVINO computes something else than 'tiny' does"):
            OpenVINOEngine().convert(program_of("bart"), tmp_path / precision, precision=precision)


def test_layers_that_ask_no_cache_are_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = program_of("bart")
    network = type(program.model.network)
    resume = network.resume
    monkeypatch.setattr(network, "resume", lambda self, batch, kept: {**resume(self, batch, kept), "kept": None})
    with pytest.raises(NotSupported, match="ask no cache"):
        OpenVINOEngine().convert(program, tmp_path / "form", precision="fp32")
    assert not list(tmp_path.iterdir())


def test_a_form_in_whole_numbers_is_a_quarter_and_writes_much_the_same(form: Program, tmp_path: Path) -> None:
    small = OpenVINOEngine().convert(program_of("bart"), tmp_path, precision="int8")
    session, whole = (OpenVINOEngine().open(one, SessionOptions(threads=1)) for one in (small, form))
    told = [[5, 6, 7], [8], [9, 10], [4]]
    for one, other in zip(session.likelihood(asked(), told), whole.likelihood(asked(), told), strict=True):
        assert 0 < np.abs(one - other).mean() < 0.3
    alone = [written(session, [one])[0] for one in asked(temperature=1.0)]
    assert written(session, asked(temperature=1.0)) == alone


def test_a_form_writes_without_torch(form: Program, session: Any) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom functory_openvino import OpenVINOEngine\n"
        "from functory_sdk import Decoding, Program, Request, SessionOptions, texts\n"
        f"form = Program('generate', (), folder=Path({str(form.folder)!r}))\n"
        "session = OpenVINOEngine().open(form, SessionOptions(threads=1))\n"
        f"requests = [Request({PROMPTS[0]}, Decoding(max_new_tokens=10, beams=3), frozenset({{{END}}}))]\n"
        "print(texts(requests, session.generate(requests))[0][0]['tokens'].tolist())\n"
        "print('heavy', [name for name in ('torch', 'transformers', 'nncf') if name in sys.modules])\n"
    )
    assert in_subprocess(code).splitlines() == [str(written(session, asked(PROMPTS[:1], beams=3))[0][0]), "heavy []"]


@pytest.mark.parametrize("told", [
    "", "{}", '{"vocabulary": 61, "start": 0, "texts": 7, "sources": {}}', "[]",
                                  '{"vocabulary": 61, "start": 0, "texts": {"a": [0, 1]}, "sources": {"b": [1, 1]}}',
])  # fmt: skip
def test_a_form_that_does_not_say_what_its_graphs_are_is_called_corrupt(form: Program, told: str, tmp_path: Path) -> None:
    (tmp_path / "pair.json").write_text(told)
    with pytest.raises(ArtefactCorrupt, match="what the graphs are"):
        OpenVINOEngine().open(form.at(tmp_path), SessionOptions())


def test_graphs_that_are_cut_or_are_others_than_is_told_are_called_corrupt(form: Program, tmp_path: Path) -> None:
    assert form.folder is not None
    for name in ("model.bin", "sources.xml", "pair.json"):
        for file in form.folder.iterdir():
            data = file.read_bytes()
            (tmp_path / file.name).write_bytes(data[:99] if file.name == name and name != "pair.json" else data)
        if name == "pair.json":
            facts = json.loads((tmp_path / name).read_text())
            facts["texts"].pop("text.1.v")
            (tmp_path / name).write_text(json.dumps(facts))
        with pytest.raises(ArtefactCorrupt, match="graph"):
            OpenVINOEngine().open(form.at(tmp_path), SessionOptions())

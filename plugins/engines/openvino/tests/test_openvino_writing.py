"""Writing without torch: what a decoder's torch form writes, whoever joins and leaves, and what prompts share read once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from functory_openvino import OpenVINOEngine  # noqa: E402
from functory_openvino.graph import _parts  # noqa: E402
from functory_sdk import (  # noqa: E402
    ArtefactCorrupt,
    BackboneSpec,
    Decoding,
    NotSupported,
    Program,
    Request,
    SessionOptions,
    Write,
    WriteOptions,
    load,
    open_backbone,
    texts,
)
from functory_sdk.families import family_of  # noqa: E402
from functory_sdk.testing import kit  # noqa: E402
from functory_sdk.testing.suite import in_subprocess  # noqa: E402
from functory_sdk.torch import Model, network_from  # noqa: E402

SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
         "num_key_value_heads": 1, "head_dim": 8}  # fmt: skip
WINDOWS = {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": SHAPE, "gemma": SHAPE, "qwen3": SHAPE, "mistral": {**SHAPE, "sliding_window": 4},
    "qwen2": {**SHAPE, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    "gemma3_text": {**SHAPE, **WINDOWS},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 256},
}  # fmt: skip
WAYS: tuple[dict[str, Any], ...] = (
    {"beams": 4, "samples": 3, "repetition_penalty": 1.3}, {"beams": 3, "length_penalty": 2.5}, {},
    {"temperature": 0.9, "top_k": 20, "samples": 2, "seed": 5}, {"repetition_penalty": 1.3},
    {"temperature": 1.2, "top_p": 0.7, "min_p": 0.02},
)  # fmt: skip
END, VOCABULARY = 3, 61
PROMPTS = ((5, 9, 30, 17, 22, 8), (40, 6), (7,), tuple(range(10, 50)))


def program_of(family: str, **config: Any) -> Program:
    """Return the torch form of a random model."""
    torch.manual_seed(4)
    told = {**FAMILIES.get(family, SHAPE), **config, "vocab_size": VOCABULARY, "max_position_embeddings": 256}
    if family == "gpt2":
        told.pop("max_position_embeddings")
    made = transformers.AutoConfig.for_model(family, **told)
    model = transformers.AutoModelForCausalLM.from_config(made, attn_implementation=family_of(family).attention).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    spec = BackboneSpec(
        reference="tiny", architecture="decoder", family=family, width=16, layers=2, vocabulary=VOCABULARY, context=256, pad_id=1,
        weights_hash="0", has_logits=True,
    )  # fmt: skip
    adapted = Model(network_from(model, spec).eval(), None, spec.ports(), (), spec.points).eval()
    return Program("generate", spec.ports(), model=adapted)


@cache
def whole() -> Program:
    return program_of("llama")


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A small Llama, converted."""
    return OpenVINOEngine().convert(whole(), tmp_path_factory.mktemp("form"), precision="fp32")


@pytest.fixture
def session(form: Program) -> Iterator[Any]:
    opened = OpenVINOEngine().open(form, SessionOptions(threads=1))
    yield opened
    opened.close()


def asked(prompts: Any = PROMPTS, **decoding: Any) -> list[Request]:
    return [Request(ids, Decoding(**{"max_new_tokens": 10, **decoding}), frozenset({END})) for ids in prompts]


def written(session: Any, requests: list[Request]) -> list[list[list[int]]]:
    return [[row["tokens"].tolist() for row in rows] for rows in texts(requests, session.generate(requests))]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_decoder_writes_what_its_torch_form_writes(family: str, tmp_path: Path) -> None:
    from functory_torch import TorchEngine

    program = program_of(family)
    theirs = TorchEngine().open(program, SessionOptions(threads=1))
    ours = OpenVINOEngine().open(OpenVINOEngine().convert(program, tmp_path, precision="fp32"), SessionOptions(threads=1))
    for how in WAYS:
        expected = written(theirs, asked(**how))
        assert written(ours, asked(**how)) == expected, how
    told = [some[0] for some in expected]
    for one, other in zip(theirs.likelihood(asked(), told), ours.likelihood(asked(), told), strict=True):
        assert other == pytest.approx(one, abs=1e-4)


def test_attention_that_openvino_does_not_have_is_refused_by_name(tmp_path: Path) -> None:
    bent = program_of("gemma2", **WINDOWS, query_pre_attn_scalar=8)
    with pytest.raises(NotSupported, match="softcap"):
        OpenVINOEngine().convert(bent, tmp_path, precision="fp32")
    assert not list(tmp_path.iterdir())


def test_a_graph_that_computes_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from functory_openvino import decoder

    told = decoder.Attention
    monkeypatch.setattr(decoder, "Attention", lambda **sizes: told(**{**sizes, "scale": 3 * sizes["scale"]}))
    for precision in ("fp32", "int8"):
        with pytest.raises(NotSupported, match="OpenVINO computes something else than 'tiny' does"):
            OpenVINOEngine().convert(program_of("llama"), tmp_path / precision, precision=precision)


def test_what_lora_learned_is_written_without_torch(tmp_path: Path) -> None:
    with kit():
        model = load("adaptations", "lora").configure({"rank": 2})
        backbone, torch_engine = open_backbone("tiny-decoder"), load("engines", "torch").configure()
        put = Write(WriteOptions(), backbone.spec, str, "reference")
        adapted = torch_engine.adapt(backbone, put, None, model, seed=1)
        with torch.no_grad():
            for parameter in adapted.learned().values():
                parameter.add_(0.3 * torch.randn_like(parameter))
        program = Program("generate", backbone.spec.ports(), model=adapted)
        untaught = load("adaptations", "zero-shot").configure()
        plain = replace(program, model=torch_engine.adapt(backbone, put, None, untaught, seed=1))
        theirs, bare = (written(torch_engine.open(one, SessionOptions(threads=1)), asked()) for one in (program, plain))
        form = OpenVINOEngine().convert(program, tmp_path, precision="fp32")
    assert written(OpenVINOEngine().open(form, SessionOptions(threads=1)), asked()) == theirs != bare


def test_converting_leaves_the_torch_form_as_it_was(form: Program) -> None:
    assert whole().model.network.model.config._attn_implementation == "sdpa"
    assert not [name for name, _ in whole().model.named_modules() if "functory" in name]


def counted(session: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the tokens of each step."""
    steps, scores = list[int](), session._scores

    def counting(rows: Any) -> Any:
        steps.append(sum(len(tokens) for _, _, tokens in rows))
        return scores(rows)

    monkeypatch.setattr(session, "_scores", counting)
    return steps


def test_what_prompts_begin_with_is_read_once_in_a_call_and_in_those_after(session: Any, monkeypatch: Any) -> None:
    steps = counted(session, monkeypatch)
    beginning = tuple(4 + index % 50 for index in range(130))
    requests = asked([(*beginning, 5 + index, 9, 30) for index in range(6)], max_new_tokens=1)
    fresh = [written(OpenVINOEngine().open(session.program, SessionOptions(threads=1)), [one])[0] for one in requests]
    assert written(session, requests) == fresh
    page = session._pages.size
    rest = 133 - 130 // page * page
    assert sum(steps) == 133 + 5 * rest
    steps.clear()
    assert written(session, requests) == fresh
    assert sum(steps) == 6 * rest


def test_samples_read_their_prompt_once_and_a_session_may_remember_nothing(form: Program, monkeypatch: Any) -> None:
    session = OpenVINOEngine().open(form, SessionOptions(threads=1, remembered=0))
    steps = counted(session, monkeypatch)
    prompt = tuple(4 + index % 50 for index in range(70))
    request = asked([prompt], temperature=1.0, samples=3, max_new_tokens=1)
    written(session, request)
    page = session._pages.size
    first = 70 + 2 * (70 - 68 // page * page)
    assert sum(steps) == first
    written(session, request)
    assert sum(steps) == 2 * first


def test_pages_are_given_back_and_found_room_for(session: Any, monkeypatch: Any) -> None:
    before = written(session, asked(max_new_tokens=100))
    monkeypatch.setattr(session._pages, "most", 1)  # room for one text at a time
    assert written(session, asked(max_new_tokens=100)) == before
    assert not session._pages._users
    assert len(session._pages._free) + len(session._pages._resting) == session._pages._count


def test_a_text_is_the_same_whoever_joins_and_leaves(session: Any) -> None:
    requests = asked([(5, 9, 30 + index, *range(4, 4 + 3 * index)) for index in range(12)], max_new_tokens=12, temperature=0.7)
    alone = [written(session, [one])[0] for one in requests]

    def stream(index: int) -> list[int]:
        tokens = session.generate([requests[index]])
        found = [token.id for token in islice(tokens, 3 if index % 3 == 2 else None) if token.is_written]
        tokens.close()
        return found

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(stream, range(12)))
    for index, tokens in enumerate(found):
        whole = alone[index][0]
        assert tokens == (whole[: len(tokens)] if index % 3 == 2 else whole)
    assert not session._members
    assert not session._pages._users


def test_an_iterator_that_is_closed_within_a_step_waits_for_nothing(session: Any) -> None:
    """As the collector closes one that nobody holds any more, whatever its thread does just then."""
    abandoned = session.generate(asked([PROMPTS[1]], max_new_tokens=60))
    next(abandoned)

    def closes(tokens: Any) -> bool:
        abandoned.close()
        return False

    expected = written(session, asked())
    assert written(session, [replace(one, ends=closes) for one in asked()]) == expected
    assert not session._members
    assert not session._pages._users


def test_an_error_in_one_text_is_its_own(session: Any) -> None:
    def fails(tokens: Any) -> bool:
        raise ValueError("no such thing")

    def waits(tokens: Any) -> bool:
        started.set()
        return False

    started = threading.Event()
    calm = replace(asked([PROMPTS[0]], max_new_tokens=60)[0], ends=waits)
    expected = written(session, [calm])
    started.clear()
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(written, session, [calm])
        started.wait(60)
        with pytest.raises(ValueError, match="no such thing"):
            list(session.generate([replace(asked([PROMPTS[1]])[0], ends=fails)]))
        assert beside.result() == expected


def test_a_closed_session_writes_nothing_and_says_so(form: Program) -> None:
    session = OpenVINOEngine().open(form, SessionOptions(threads=1))
    begun = session.generate(asked())
    next(begun)
    session.close()
    for tokens in (begun, session.generate(asked())):
        with pytest.raises(NotSupported, match="closed"):
            list(tokens)


def test_a_form_writes_without_torch(form: Program, session: Any) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom functory_openvino import OpenVINOEngine\n"
        "from functory_sdk import Decoding, Program, Request, SessionOptions, texts\n"
        f"form = Program('generate', (), folder=Path({str(form.folder)!r}))\n"
        "session = OpenVINOEngine().open(form, SessionOptions(threads=1))\n"
        f"requests = [Request({PROMPTS[0]}, Decoding(max_new_tokens=10), frozenset({{{END}}}))]\n"
        "print(texts(requests, session.generate(requests))[0][0]['tokens'].tolist())\n"
        "print('heavy', [name for name in ('torch', 'transformers', 'nncf') if name in sys.modules])\n"
    )
    assert in_subprocess(code).splitlines() == [str(written(session, asked(PROMPTS[:1]))[0][0]), "heavy []"]


@pytest.mark.parametrize("told", ["", "{}", '{"vocabulary": 61, "layers": [{"heads": 2}]}', '{"vocabulary": 61, "layers": 7}'])
def test_a_form_that_does_not_say_what_its_attention_is_is_called_corrupt(form: Program, told: str, tmp_path: Path) -> None:
    (tmp_path / "attention.json").write_text(told)
    with pytest.raises(ArtefactCorrupt, match="attention"):
        OpenVINOEngine().open(form.at(tmp_path), SessionOptions())


def test_a_graph_without_its_marks_or_its_weights_is_called_corrupt(form: Program, tmp_path: Path) -> None:
    unmarked, cut = lambda data: data.replace(b"functory.attention.1", b"something"), lambda data: data[:99]
    for name, change in (("model.xml", unmarked), ("model.bin", cut)):
        assert form.folder is not None
        for file in form.folder.iterdir():
            data = file.read_bytes()
            (tmp_path / file.name).write_bytes(change(data) if file.name == name else data)
        with pytest.raises(ArtefactCorrupt, match="graph"):
            OpenVINOEngine().open(form.at(tmp_path), SessionOptions())
    assert json.loads((tmp_path / "attention.json").read_text())["vocabulary"] == VOCABULARY


def test_beams_share_pages_and_leave_none_behind(session: Any) -> None:
    prompt = tuple(4 + index % 50 for index in range(70))  # more than two pages
    requests = [*asked([prompt], beams=5, samples=5, max_new_tokens=80), *asked([prompt[:40]], max_new_tokens=50)]
    alone = [written(OpenVINOEngine().open(session.program, SessionOptions(threads=1)), [one])[0] for one in requests]
    assert written(session, requests) == alone
    assert written(session, requests[::-1]) == alone[::-1]
    tokens = session.generate(requests)
    next(tokens)
    tokens.close()
    assert not session._pages._users


@pytest.mark.parametrize("how", [{}, {"temperature": 0.8, "seed": 3}])
def test_what_a_text_wrote_is_known_to_the_prompt_that_goes_on_from_it(
    session: Any, how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that were written, and decided again without them where a call is close."""
    page, turn = session._pages.size, (5, 9, 30)
    told = asked([tuple(4 + index % 50 for index in range(20 + number)) for number in range(3)], max_new_tokens=2 * page, **how)
    told = [replace(one, stop_ids=frozenset()) for one in told]
    for _ in range(3):
        fresh = [written(OpenVINOEngine().open(session.program, SessionOptions(threads=1)), [one])[0] for one in told]
        found = written(session, told)
        assert found == fresh
        told = [replace(one, ids=(*one.ids, *text, *turn)) for one, [text] in zip(told, found, strict=True)]
    steps = counted(session, monkeypatch)
    monkeypatch.setattr(session, "read_again", lambda *given: pytest.fail("a close call"))
    written(session, [replace(one, decoding=Decoding(max_new_tokens=1)) for one in told])
    assert sum(steps) == sum((len(one.ids) - 1) % page + 1 for one in told), "a page that was written was read again"


def test_a_close_call_after_written_pages_is_decided_without_them(session: Any, monkeypatch: Any) -> None:
    first = replace(asked([PROMPTS[3]], max_new_tokens=80)[0], stop_ids=frozenset())
    [[text]] = written(session, [first])
    longer = replace(first, ids=(*first.ids, *text, 5), decoding=Decoding(max_new_tokens=6))
    expected = written(OpenVINOEngine().open(session.program, SessionOptions(threads=1)), [longer])
    monkeypatch.setattr("functory_sdk.choosing.CLOSE", 1e9)
    read = list[Any]()
    again = session.read_again
    monkeypatch.setattr(session, "read_again", lambda request, tokens: (read.append(len(tokens)), again(request, tokens))[1])
    assert written(session, [longer]) == expected
    assert read == list(range(6))
    assert not session._pages._users


def test_states_are_rounded_in_groups_where_all_maps_part_so() -> None:
    """Where one does not, nothing would be rounded, and a text's numbers would hang on its company."""
    import numpy as np
    import openvino as ov
    import openvino.opset13 as ops

    def graph(*sizes: int) -> Any:
        state = ops.parameter(ov.PartialShape([-1, sizes[0]]), ov.Type.f32)
        found = state
        for one, other in zip(sizes, (*sizes[1:], 8), strict=True):
            found = ops.matmul(found, ops.constant(np.ones((one, other), np.float32)), False, False)
        return ov.Model([found], [state])

    assert _parts(graph(128, 192), 64)
    assert _parts(graph(1, 64), 64)  # one number, an angle, is no state
    assert not _parts(graph(128, 96), 64)

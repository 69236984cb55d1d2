"""What is written: as transformers writes it, drawn as probable as it is, and by reading alone where a call is close."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from functory_sdk import Decoding, Program, Request, Session, SessionOptions, texts  # noqa: E402
from functory_sdk.testing import kit  # noqa: E402
from functory_sdk.torch import Model, Writing, structural_copy  # noqa: E402
from functory_torch import TorchEngine  # noqa: E402


@pytest.fixture(scope="module", params=["tiny-decoder", "tiny-encoder-decoder"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    from functory.running.backbones import open_backbone

    with kit():
        backbone: Any = open_backbone(request.param)
        model = Model(structural_copy(backbone.network), None, backbone.spec.ports(), (), backbone.spec.points).eval()
        yield TorchEngine().open(Program("generate", backbone.spec.ports(), model=model), SessionOptions())


def first_scores(session: Any, ids: tuple[int, ...]) -> Any:
    given = torch.tensor([ids])
    with torch.inference_mode():
        return Writing(session.model.network, given, torch.ones_like(given)).logits[0]


def test_ten_thousand_draws_are_as_many_of_each_token_as_its_probability_says(session: Session) -> None:
    """Pearson's statistic over the tokens that are expected five times at least, and the rest as one."""
    ids, how = (5, 9, 20), Decoding(temperature=1.5, samples=10_000, max_new_tokens=1, seed=11)
    [rows] = texts([Request(ids, how)], session.generate([Request(ids, how)]))
    scores = first_scores(session, ids)
    expected = 10_000 * (scores.double() / 1.5).softmax(-1).numpy()
    drawn = np.bincount([int(row["tokens"][0]) for row in rows], minlength=len(expected))
    often = expected >= 5
    found, wanted = [*drawn[often], drawn[~often].sum()], [*expected[often], expected[~often].sum()]
    statistic = sum((a - b) ** 2 / b for a, b in zip(found, wanted, strict=True) if b > 0)
    degrees = int(often.sum())
    assert degrees > 20
    assert abs(statistic - degrees) < 4 * np.sqrt(2 * degrees), f"{statistic:.1f} for {degrees} degrees of freedom"


@pytest.mark.parametrize("how", [{"temperature": 0.9, "top_p": 0.9}, {"repetition_penalty": 1.4}])
def test_a_text_is_the_same_alone_and_among_others(session: Session, how: dict[str, Any]) -> None:
    requests = [Request(tuple(range(3, 4 + size)), Decoding(max_new_tokens=8 + size, seed=size, **how)) for size in range(9)]
    together = [rows[0]["tokens"].tolist() for rows in texts(requests, session.generate(requests))]
    for request, expected in zip(requests, together, strict=True):
        assert texts([request], session.generate([request]))[0][0]["tokens"].tolist() == expected
    plain = [replace(one, decoding=Decoding(max_new_tokens=len(some))) for one, some in zip(requests, together, strict=True)]
    freely = [rows[0]["tokens"].tolist() for rows in texts(plain, session.generate(plain))]
    assert together != freely
    if "repetition_penalty" in how:
        assert sum(len(set(tokens)) for tokens in together) > sum(len(set(tokens)) for tokens in freely)


def test_told_log_probabilities_are_those_of_the_whole_pass(session: Session) -> None:
    request = Request((3, 8, 5), Decoding(max_new_tokens=6, temperature=2.0, likelihoods=True, repetition_penalty=1.2))
    [[row]] = texts([request], session.generate([request]))
    [expected] = session.likelihood([request], [row["tokens"].tolist()])
    np.testing.assert_allclose(row["log_probability"], expected, atol=1e-4)


def test_who_closes_the_iterator_leaves_off_and_the_session_goes_on(session: Session) -> None:
    requests = [Request((3, 4), Decoding(max_new_tokens=50)), Request((5,), Decoding(max_new_tokens=50))]
    tokens: Any = session.generate(requests)
    next(tokens)
    tokens.close()
    with pytest.raises(StopIteration):
        next(tokens)
    assert len(list(session.generate([Request((3, 4), Decoding(max_new_tokens=5))]))) == 5


def test_a_request_ends_where_it_says_so(session: Session) -> None:
    how = Decoding(max_new_tokens=9)
    [[whole]] = texts([Request((3, 4), how)], session.generate([Request((3, 4), how)]))
    tokens = list(session.generate([Request((3, 4), how, ends=lambda tokens: len(tokens) == 4), Request((5,), how)]))
    own = [token for token in tokens if token.request == 0]
    assert [token.id for token in own] == whole["tokens"].tolist()[:4]
    assert [token.finish for token in own] == [None, None, None, "stop"]
    assert [token.finish for token in tokens if token.request == 1][-1] == "length"

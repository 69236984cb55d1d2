"""Drawing from generators of one's own: the numbers that a seed gives, and nobody else's generator moved."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from functory_sdk.testing.generators import generators_untouched  # noqa: E402
from functory_sdk.torch import drawing, not_drawing  # noqa: E402

ONES = torch.ones(20)
QUERY = torch.arange(8 * 4 * 7 * 8.0).reshape(8, 4, 7, 8).sin()
DRAWN: dict[str, Callable[[], Any]] = {
    "layers' first values": lambda: nn.Linear(3, 3).weight,
    "an initialisation": lambda: nn.init.orthogonal_(torch.empty(3, 4)),
    "numbers in place": lambda: torch.empty(9).uniform_().exponential_().cauchy_().log_normal_().geometric_(0.4).random_(),
    "uniform": lambda: torch.rand(3) + torch.rand_like(ONES[:3]) + torch.rand(3, out=torch.empty(3)),
    "normal": lambda: torch.randn(2) + torch.randn_like(ONES[:2]) + torch.normal(0.0, ONES[:2]),
    "whole numbers": lambda: torch.randint(2, 99, (5,)) + torch.randint(99, (5,)) + torch.randint_like(ONES[:5], 99),
    "an order": lambda: torch.randperm(9),
    "choices": lambda: torch.multinomial(ONES, 2) + torch.bernoulli(ONES * 0.5)[:2] + torch.poisson(ONES)[:2],
    "a distribution": lambda: torch.distributions.Gamma(1.0, 1.0).sample(),
    "dropout": lambda: functional.dropout(ONES, 0.5) + functional.alpha_dropout(ONES, 0.5, True),
    "dropout of channels": lambda: functional.dropout2d(torch.ones(2, 2, 2, 2), 0.5),
    "dropout within attention": lambda: functional.scaled_dot_product_attention(
        QUERY, QUERY, QUERY, attn_mask=torch.ones(8, 1, 1, 7, dtype=torch.bool), dropout_p=0.2
    ),
    "attention's own module": lambda: nn.MultiheadAttention(4, 2, dropout=0.3)(*3 * [torch.ones(1, 2, 4)])[0],
    "a recurrent layer": lambda: nn.LSTM(3, 3, 2, dropout=0.5)(torch.ones(2, 3, 3))[0],
    "a layer of its own in Python": lambda: nn.TransformerEncoderLayer(4, 2, 8, 0.4)(torch.ones(2, 3, 4)),
    "leaks": lambda: functional.rrelu(-ONES, training=True) + functional.gumbel_softmax(ONES),
}  # fmt: skip


@pytest.mark.parametrize("kind", DRAWN)
def test_what_a_seed_draws_is_what_torch_draws_from_it(kind: str) -> None:
    with generators_untouched(kind), drawing(7):
        own = DRAWN[kind](), torch.rand(3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        theirs = DRAWN[kind](), torch.rand(3)
    assert all(torch.equal(one, other) for one, other in zip(own, theirs, strict=True))


def test_gradients_pass_what_was_dropped() -> None:
    value = torch.ones(1000, requires_grad=True)
    with drawing(1):
        kept = functional.dropout(value, 0.25)
    kept.sum().backward()
    assert value.grad is not None
    assert torch.equal(value.grad, kept.detach())
    assert 0.7 < float((kept > 0).float().mean()) < 0.8


def test_what_a_graphics_processor_drops_comes_from_the_seed_too() -> None:
    ones = torch.ones(1000)  # the operator that it uses is there on every device
    with generators_untouched("native_dropout"), drawing(3):
        first, kept = torch.native_dropout(ones, 0.25, True)
        assert torch.equal(torch.native_dropout(ones, 0.25, False)[0], ones)
    with drawing(3):
        assert torch.equal(torch.native_dropout(ones, 0.25, True)[0], first)
    assert torch.equal(first, kept / 0.75)


def test_the_innermost_seed_counts_and_the_outer_goes_on_where_it_was() -> None:
    with drawing(1):
        before = torch.rand(2)
        with drawing(2):
            inner = torch.rand(2)
        after = torch.rand(2)
    with drawing(1):
        assert torch.equal(torch.rand(4), torch.cat([before, after]))
    with drawing(2):
        assert torch.equal(torch.rand(2), inner)


def test_a_generator_that_the_caller_gives_is_the_one_that_draws() -> None:
    with drawing(1):
        given = torch.rand(3, generator=torch.Generator().manual_seed(5))
    assert torch.equal(given, torch.rand(3, generator=torch.Generator().manual_seed(5)))


def test_threads_draw_apart() -> None:
    together = Barrier(4, timeout=60)

    def drawn(seed: int) -> Any:
        with drawing(seed):
            numbers = []
            for _ in range(50):
                together.wait()
                numbers.append(functional.dropout(torch.rand(5), 0.5))
            return torch.cat(numbers)

    with generators_untouched("threads"), ThreadPoolExecutor(4) as pool:
        found = list(pool.map(drawn, [1, 2, 1, 3]))
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


def test_what_draws_nothing_is_not_looked_at_operator_by_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    operators: Any = sys.modules["functory_sdk.torch.drawing"]._Operators

    def look(self: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        seen.append(str(func))
        return func(*args, **(kwargs or {}))

    monkeypatch.setattr(operators, "__torch_dispatch__", look)
    layer = nn.Linear(8, 3)
    with drawing(1):
        hidden = functional.embedding(torch.arange(6), torch.ones(6, 8)).bool().float()
        hidden = functional.dropout(functional.layer_norm(layer.weight.mean(0) + hidden, (8,)), 0.5)
        hidden = functional.scaled_dot_product_attention(*3 * [hidden[None]])[0]
        functional.cross_entropy(layer(hidden), torch.zeros(6, dtype=torch.long)).backward()
        assert not seen
        torch.rand(1)
    assert seen


def test_where_nothing_is_to_be_drawn_torch_is_as_it_was() -> None:
    with drawing(1):
        whole = torch.rand(4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        theirs = torch.rand(2)
        torch.manual_seed(7)
        with drawing(1):
            first = torch.rand(2)
            with not_drawing():
                assert torch.equal(torch.rand(2), theirs)
                with drawing(2):
                    inner = torch.rand(2)
            with torch.device("meta"), not_drawing():  # another's mode lies upon it, and it stays
                torch.empty(1)
            assert torch.equal(torch.cat([first, torch.rand(2)]), whole)
    with drawing(2):
        assert torch.equal(torch.rand(2), inner)


@pytest.mark.gpu
def test_a_graphics_processor_draws_from_the_seed_and_from_nobody_elses_generator() -> None:
    on, before = torch.ones(100, 64, device="cuda"), torch.cuda.get_rng_state()

    def drawn() -> Any:
        with drawing(5):
            attention = functional.scaled_dot_product_attention(*3 * [on.view(1, 4, 25, 64)], dropout_p=0.3)
            return torch.cat([functional.dropout(on, 0.5).flatten(), attention.flatten(), torch.rand(9, device="cuda")])

    assert torch.equal(drawn(), drawn())
    assert torch.equal(torch.cuda.get_rng_state(), before)

"""Maps of few rows: the same numbers, none of them copied, and a session that writes has them."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from functory_sdk import Decoding, Program, Request, SessionOptions, open_backbone, texts  # noqa: E402
from functory_sdk.testing import kit  # noqa: E402
from functory_sdk.torch import Model  # noqa: E402
from functory_torch import TorchEngine  # noqa: E402
from functory_torch.few import FewLinear, for_few  # noqa: E402


@pytest.mark.parametrize("outputs", [192, 48, 17])
@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("shape", [(), (1,), (4, 1), (3, 5), (1, 9), (15,), (16,), (0,)])
def test_few_rows_are_mapped_as_many_are(outputs: int, has_bias: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    plain = torch.nn.Linear(40, outputs, bias=has_bias)
    given = torch.randn(*shape, 40)
    expected, found = plain(given), FewLinear(plain)(given)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="only MKL copies a matrix for few rows")
def test_a_session_that_writes_maps_few_rows_fast_with_the_models_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    with kit():
        backbone: Any = open_backbone("tiny-decoder")
    model = Model(backbone.network, None, backbone.spec.ports(), (), backbone.spec.points).eval()
    before = {name: type(module) for name, module in model.named_modules()}
    session: Any = TorchEngine().open(Program("generate", backbone.spec.ports(), model=model), SessionOptions())
    own = dict(session.model.named_parameters())
    for name, parameter in model.named_parameters():
        assert own[name].data_ptr() == parameter.data_ptr(), f"{name} was copied"
    assert {name: type(module) for name, module in model.named_modules()} == before
    rows, product = set[int](), torch.bmm

    def noted(given: Any, *rest: Any) -> Any:
        rows.add(given.shape[1])
        return product(given, *rest)

    monkeypatch.setattr(torch, "bmm", noted)
    requests = [Request((5 + number, 9), Decoding(max_new_tokens=3)) for number in range(6)]
    together = texts(requests, session.generate(requests))
    assert 6 in rows
    alone = [texts([one], session.generate([one]))[0] for one in requests]
    assert [[row["tokens"].tolist() for row in one] for one in together] == [
        [row["tokens"].tolist() for row in one] for one in alone
    ]


def test_maps_that_are_not_torchs_own_stay_as_they_are() -> None:
    class Own(torch.nn.Linear):
        def forward(self, input: Any) -> Any:
            return 2 * super().forward(input)

    with kit():
        backbone: Any = open_backbone("tiny-decoder")
    model = Model(backbone.network, None, backbone.spec.ports(), (), backbone.spec.points).eval()
    made = for_few(for_few(model))
    changed = [name for name, module in made.network.named_modules() if isinstance(module, FewLinear)]
    assert changed
    owner, _, name = changed[0].rpartition(".")
    setattr(made.network.get_submodule(owner), name, Own(8, 8))
    assert type(for_few(made).network.get_submodule(changed[0])) is Own

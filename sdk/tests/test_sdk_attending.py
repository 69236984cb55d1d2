"""Attention of tokens that are read after others is torch's own, however its parts are computed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from functory_sdk.torch import Kept  # noqa: E402
from functory_sdk.torch.attending import Part  # noqa: E402


@pytest.mark.parametrize("heads", [(9, 3), (4, 4), (4, 1)])
@pytest.mark.parametrize("new", [1, 3])
@pytest.mark.parametrize("shared", [0, 70])
def test_what_new_tokens_see_is_what_torch_says(heads: tuple[int, int], new: int, shared: int) -> None:
    """After padding, and after places that all rows have in common; what was read before is kept as it was."""
    torch.manual_seed(2)
    (many, few), rows, before, width = heads, 5, 11, 8
    kept_keys, kept_values = torch.randn(2, rows, few, before, width)
    common = torch.randn(2, 1, few, shared, width)
    query, key, value = torch.randn(rows, many, new, width), *torch.randn(2, rows, few, new, width)
    mask = torch.ones(rows, 1, new, before + new, dtype=torch.bool).tril(before)
    mask[1, ..., :4] = mask[3, ..., :before] = False
    kept = Kept.of([(kept_keys.clone(), kept_values.clone())])
    if shared:
        kept.share([(common[0], common[1])])
    layer: Any = SimpleNamespace(layer_idx=0, num_key_value_groups=many // few, is_causal=True)
    found = Part(mask, kept.layers).attend(layer, query, key, value, 0.3)
    whole = [torch.cat([one.expand(rows, -1, -1, -1), old, fresh], 2).repeat_interleave(many // few, 1)
             for one, old, fresh in zip(common, (kept_keys, kept_values), (key, value), strict=True)]  # fmt: skip
    seen = torch.cat([mask.new_ones(rows, 1, new, shared), mask], -1)
    expected = torch.nn.functional.scaled_dot_product_attention(query, *whole, seen, scale=0.3).transpose(1, 2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(kept.pairs()[0][0], torch.cat([kept_keys, key], 2))

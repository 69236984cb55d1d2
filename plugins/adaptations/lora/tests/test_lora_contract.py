"""The adaptation keeps its contract, and is content with a single step."""

from pathlib import Path

import pytest

from functory_sdk.testing import AdaptationSuite, kit


class TestLoRA(AdaptationSuite):
    component = "lora"


@pytest.mark.parametrize("backbone", ["tiny-encoder", "tiny-decoder"])
def test_a_single_step_is_not_taken_for_one_that_reaches_half_of_phi(backbone: str, tmp_path: Path) -> None:
    brief = TestLoRA()
    brief.options = {"epochs": 1, "batch_rows": 64}
    with kit():
        fitted = brief.fit(backbone, tmp_path).phi
    updates = [array for name, array in fitted.items() if "lora_B" in name]  # 0 at first, so that nothing reaches its partner
    assert updates
    assert all(array.any() for array in updates)

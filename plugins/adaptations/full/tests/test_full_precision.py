"""The layers multiply in a precision that the function tells, and whose bits come again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import functory
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows


def built(precision: str) -> Any:
    asked = {"name": "full", "precision": precision, "epochs": 1, "learning_rate": 1e-3}
    return functory.build(
        task="toy", train=rows(40), backbone="tiny-encoder", test_share=0, name="toy", adaptation=asked, report=False
    )


def test_what_was_trained_in_bf16_says_so_when_it_is_loaded_again_and_is_the_same_when_it_is_built_again(tmp_path: Path) -> None:
    with kit():
        fn, again, wide = built("bf16"), built("bf16"), built("fp32")
        loaded = functory.load(fn.save(tmp_path / "toy"))
        assert [one.about.data["fit"]["precision"] for one in (loaded, wide)] == ["bf16", "fp32"]
        one, other, exact = (made.form.engine.phi(made.form.program.model) for made in (fn, again, wide))
    assert all((one[name] == other[name]).all() for name in one)
    assert any((one[name] != exact[name]).any() for name in one)

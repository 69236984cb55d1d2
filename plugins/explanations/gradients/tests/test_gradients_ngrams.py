"""What a head reads beside the backbone is told, for no gradient reaches it."""

from __future__ import annotations

from pathlib import Path

import pytest

import functory
from functory_sdk.testing import kit
from functory_sdk.testing.toybox import isolated_cache

ROWS = [
    {"text": f"{word} film", "label": label} for label, words in {"yes": ("good", "fine"), "no": ("bad", "poor")}.items()
    for word in words
] * 3  # fmt: skip


@pytest.mark.parametrize(("adaptation", "told"), [("lexical", True), ("head", False)])
def test_that_the_head_reads_ngrams_too_is_told(
    adaptation: str, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path)))
    with kit():
        fn = functory.build(
            task="text-classification", train=ROWS, backbone="tiny-encoder", adaptation=adaptation, dev_share=0, test_share=0
        )
        found = fn.explain("good film", method="gradient-x-input")
    assert any("n-grams" in note for note in found.notes) is told

"""The contract: rows of a small data set, in the same order each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from functory_sdk import NoOptions, Sample

ROWS = (
    ("The parcel came a day early.", "delivery"),
    ("Nobody told me where my parcel was.", "delivery"),
    ("The price went up without a word.", "price"),
    ("Good value for what it costs.", "price"),
)


class {{ cookiecutter.__class }}(Sample[NoOptions]):
    """A few sentences of customers, each about delivery or price."""

    licence: ClassVar[str] = "{{ cookiecutter.licence }}"

    def locate(self) -> Path:
        return Path(__file__)

    def rows(self) -> Iterator[dict[str, Any]]:
        for text, label in ROWS:
            yield {"text": text, "label": label}

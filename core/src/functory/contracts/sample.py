r"""The contract of samples: real data that some package carries, usable wherever a data path is.

Named ``samples:NAME``. A complete plugin::

    class Haiku(Sample[NoOptions]):
        "The seasons of 300 haiku."

        licence = "CC0-1.0"
        columns = {"text": "the poem", "label": "its season"}

        def locate(self) -> Path:
            return Path(__file__).with_name("haiku.tsv")

        def rows(self) -> Iterator[dict[str, Any]]:
            for line in self.locate().read_text("utf-8").splitlines():
                yield dict(zip(self.columns, line.split("\t")))
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from functory.contracts.component import Component, O


class Sample(Component[O]):
    """Data to try things on, in one fixed order that mixes the classes: the first N rows are a fair part."""

    kind: ClassVar[str] = "samples"
    licence: ClassVar[str]
    """The licence of the text, as an SPDX identifier."""
    columns: ClassVar[Mapping[str, str]]
    """The columns, each with what it holds."""

    @abstractmethod
    def locate(self) -> Path:
        """Return the file or folder that holds the text.

        :raises WeightsMissing: when it is not on this machine; `do` is the line that brings it.
        """

    @abstractmethod
    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows, each a dict by column name; the same rows in the same order each time.

        :raises WeightsMissing: as `locate`.
        """

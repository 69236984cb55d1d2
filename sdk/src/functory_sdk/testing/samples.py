"""What every sample owes."""

from __future__ import annotations

from itertools import islice
from typing import Any, ClassVar

import pytest

from functory.contracts.sample import Sample
from functory.errors import WeightsMissing
from functory_sdk.testing.suite import ComponentSuite


class SampleSuite(ComponentSuite):
    """Reads a sample; skips where its text is not on this machine, after checking that the error says how to get it."""

    kind: ClassVar[str] = "samples"

    def made(self) -> Sample[Any]:
        """Return the sample, or skip with the line that brings its text."""
        sample: Sample[Any] = self.configured()
        try:
            sample.locate()
        except WeightsMissing as error:
            assert error.do, "the error does not say how to get the text."
            pytest.skip(error.do)
        return sample

    def test_it_is_a_sample_with_a_licence(self) -> None:
        """The class derives from the contract and names the licence of its text.

        If this fails: derive it from `functory_sdk.Sample` and set `licence`.
        """
        assert issubclass(self.load(), Sample)
        assert self.load().licence, "it does not name the licence of its text."

    def test_its_rows_are_the_same_each_time(self) -> None:
        """Two readings give the same rows in the same order, each with the same columns.

        If this fails: sort what comes from sets, dicts or folders.
        """
        sample = self.made()
        first, second = list(islice(sample.rows(), 500)), list(islice(sample.rows(), 500))
        assert first, "it has no rows."
        assert first == second, "two readings give different rows."
        assert len({tuple(row) for row in first}) == 1, "rows have different columns."

    def test_it_is_usable_as_a_data_path(self) -> None:
        """`samples:NAME` reads it.

        If this fails: give every row plain texts, numbers or lists.
        """
        from functory.data import read

        self.made()
        assert len(read(f"samples:{self.component}")) > 0, f"samples:{self.component} gives no rows."

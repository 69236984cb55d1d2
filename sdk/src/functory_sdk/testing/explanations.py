"""What every explanation owes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, ClassVar

from functory.contracts.explanation import Attribution, Explanation
from functory.contracts.texts import texts_of
from functory.function import Function
from functory.using.attribution import values_of, without, words_of
from functory_sdk.testing.suite import ComponentSuite, TorchSuite
from functory_sdk.testing.toy import many_rows, rows
from functory_sdk.testing.toybox import toy_function

FELT = 0.25
"""The part of what the right word takes from the target that the weightiest must take."""


class ExplanationSuite(TorchSuite, ComponentSuite):
    """Explains the toy function, whose inputs and outputs are known."""

    kind: ClassVar[str] = "explanations"
    texts: ClassVar[tuple[str, ...]] = ("red apples and green pears", "one", "a  b,  c!", "红色 的 苹果")

    def explained(self, text: str) -> Attribution:
        """Return the explanation of a text by the toy function."""
        function = toy_function()
        return function.explain(function.read(text), method=self.component, **dict(self.options))

    def test_it_is_an_explanation(self) -> None:
        """The class derives from the contract.

        If this fails: derive it from `functory_sdk.Explanation`.
        """
        assert issubclass(self.load(), Explanation)

    def test_it_weighs_every_word_at_its_place(self) -> None:
        """Each word has a finite weight, and its offsets are those of the text.

        If this fails: make the result with `functory_sdk.attribution`, or give each Piece its characters' offsets.
        """
        for text in self.each(self.texts):
            found = self.explained(text)
            places, words = [(p.start, p.end) for p in found.pieces], [(w.start, w.end) for w in words_of(_input(text))]
            assert places == words, f"{text!r} has words at {words}; the pieces stand at {places}."
            for piece in found.pieces:
                there = text[piece.start : piece.end]
                assert there == piece.text, f"a piece says {piece.text!r} where {there!r} stands."
                assert isfinite(piece.weight), f"the weight of {piece.text!r} is {piece.weight}."

    def test_it_gives_the_same_weights_each_time(self) -> None:
        """Two calls agree to the bit.

        If this fails: seed what is random from the options.
        """
        for text in self.each(self.texts[:2]):
            assert self.explained(text) == self.explained(text), f"two explanations of {text!r} differ."

    def test_it_changes_nothing(self) -> None:
        """The function gives the same output before and after.

        If this fails: work on a copy of the model (`structural_copy`), and set no mode or hook on the function's own.
        """
        function = toy_function()
        before = [function(text) for text in self.texts]
        for text in self.each(self.texts):
            self.explained(text)
        assert [function(text) for text in self.texts] == before, "explaining changed the function's outputs."

    def test_it_names_target_score_and_method(self) -> None:
        """The result says what was explained, how sure the function was, and by what.

        If this fails: fill `method`, `target` and `score` of the Attribution.
        """
        found = self.explained(self.texts[0])
        assert found.method == self.component, f"it calls its method {found.method!r}."
        assert found.target.name, "it does not say which target it explains."
        is_share = -1e-6 <= found.score <= 1 + 1e-6
        assert is_share or found.target.scale == "raw", f"the score {found.score} is no probability."

    def test_its_faithfulness_is_measured(self) -> None:
        """Comprehensiveness and sufficiency are what taking words away does, not a constant.

        If this fails: let `functory_sdk.attribution` measure them.
        """
        from functory.using.attribution import measured

        function, text = toy_function(), self.texts[0]
        found, value = self.explained(text), function.read(text)
        _, again = measured(function, value, found.target, words_of(value), [piece.weight for piece in found.pieces])
        for name in ("comprehensiveness", "sufficiency"):
            told, real = getattr(found.faithfulness, name), getattr(again, name)
            assert told == pytest_approx(real), f"it says {name} {told:.4f}; taking words away gives {real:.4f}."

    def test_the_weightiest_words_carry_the_target(self) -> None:
        """Taking the weightiest word away lowers the target more than taking any word: weights point at what decides.

        If this fails: above 0 speaks for the target, below against it (is the sign right?); each weight belongs to the
        word at its place in the list (are they in the order of the words?); weights that are all alike say nothing.
        """
        function = toy_function()
        self.carried(function, [function.read(row["text"]) for row in self.each(rows(12, seed=7))])

    def test_it_weighs_every_text_of_an_input(self) -> None:
        """Of an input with a list of texts, each word of each text is weighed at its place, which its path says
        (``options.1``), and the weightiest carry the target whichever text they stand in.

        If this fails: take the words from `functory_sdk.words_of` and their texts from `texts_of`, and give each Piece the
        path of its text; two texts of one input may be alike.
        """
        function = toy_function(task="toy-many")
        values = [function.coerce((row["question"], row["options"])) for row in self.each(many_rows(6, seed=7))]
        for value in values:
            found, texts = function.explain(value, method=self.component, **dict(self.options)), texts_of(value)
            places = [(p.field, p.start, p.end) for p in found.pieces]
            words = [(w.field, w.start, w.end) for w in words_of(value)]
            assert places == words, f"the words of {value!r} stand at {words}; the pieces stand at {places}."
            told = [piece.text for piece in found.pieces]
            assert told == [texts[path][start:end] for path, start, end in words], f"{value!r} has other words than {told}."
        self.carried(function, values)

    def carried(self, function: Function, values: Sequence[Any]) -> None:
        """Check that taking the weightiest word away lowers the target by more than taking any word does."""
        gains, most = 0.0, 0.0
        for value in values:
            found = function.explain(value, method=self.component, **dict(self.options))
            words = words_of(value)
            whole, *rest = values_of(function, [value, *(without(value, [word]) for word in words)], found.target)
            drops = [whole - number for number in rest]
            top = max(piece.weight for piece in found.pieces)
            chosen = [drop for drop, piece in zip(drops, found.pieces, strict=True) if piece.weight == top]
            gains += sum(chosen) / len(chosen) - sum(drops) / len(drops)
            most += max(drops) - sum(drops) / len(drops)
        assert gains >= FELT * most, (
            f"taking the weightiest word away lowers the target by {gains / len(values):.3g} more than taking any word does; "
            f"by the right word it were {most / len(values):.3g}."
        )

    def test_its_page_is_self_contained(self) -> None:
        """The page holds no script and asks nothing of the network.

        If this fails: let `Attribution.html` make it.
        """
        page = self.explained("apples <script>").html()
        assert "<script" not in page, "the page holds a script."
        assert "http" not in page, "the page asks something of the network."


def _input(text: str) -> Any:
    """Return the toy function's input."""
    return toy_function().read(text)


def pytest_approx(value: float) -> Any:  # Any: pytest's own type
    """Return a value that is equal up to rounding."""
    import pytest

    return pytest.approx(value, abs=1e-5)

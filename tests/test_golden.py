"""Golden examples: what other rounding may do passes, and what is another function does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory import errors
from functory.running import replays
from functory.running.golden import Golden, record, replay, tolerance


def test_a_build_whose_function_gives_no_numbers_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from functory_sdk.testing import kit, toy_head
    from functory_sdk.testing.toy import rows

    monkeypatch.setattr(toy_head.ToyHead, "forward", lambda self, features, batch: {"scores": features[:, :2] * torch.nan})
    monkeypatch.setattr(
        toy_head.ToyHead, "losses", lambda self, outputs, batch: (self.linear.weight.sum(1) * 0, torch.ones(2))
    )  # a loss that is a number all the same
    with kit(), pytest.raises(errors.TrainingError, match="the function gives NaN where a number should be"):
        functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="toy-head")


@pytest.fixture
def write() -> Iterator[Any]:
    """A function that writes on a tiny decoder, whose scores lie close together."""
    pytest.importorskip("torch")
    from functory_sdk.testing import kit

    with kit():
        yield functory.build(task={"name": "text-generation", "max_new_tokens": 8}, backbone="tiny-decoder")


def change(function: Any, changed: Any) -> None:
    """Change the token scores of this function alone: its backbone is shared."""
    import torch

    scores = function.form.program.model.network.scores
    with torch.no_grad():
        scores.weight = torch.nn.Parameter(changed(scores.weight.detach().clone()), requires_grad=False)
    function.close()  # a session has what it was opened with


def with_a_rival(function: Any, behind: float) -> Golden:
    """Give a token of the first golden example a rival, and return the example as it is where the rival was taken.

    :param behind: by what share the rival's score is smaller.
    """
    value = function.coerce(function.golden[0].value)
    at, taken, rival = 2, function.golden[0].numeric[0]["tokens"][2], 257

    def twin(weight: Any) -> Any:
        weight[rival] = weight[taken] * (1 - behind)
        return weight

    change(function, twin)
    [one] = record(function, [value])
    assert one.numeric[0]["tokens"][at] == taken
    tokens = [*one.numeric[0]["tokens"][:at], rival, *one.numeric[0]["tokens"][at + 1 :]]
    [(side, _)] = function.trace([value])
    [request] = function.form.formulation.encode([value], function.reader, function.state).requests
    [likely] = function.session.likelihood([request], [tokens])
    output = function.form.formulation.decode(side, [{"tokens": np.asarray(tokens)}], function.state)
    leads = one.numeric[0]["lead"][: len(tokens)]  # the rival leads by as little
    numeric = [{"tokens": tokens, "log_probability": likely.tolist(), "lead": leads}]
    return replace(one, output=output.model_dump(mode="json"), numeric=numeric)


def test_a_saved_generation_comes_back_with_its_log_probabilities(write: Any, tmp_path: Path) -> None:
    again = functory.load(write.save(tmp_path / "write"))
    for one in again.golden:
        [row] = one.numeric
        assert 0 < len(row["tokens"]) <= len(row["log_probability"]) <= 8
        assert max(row["log_probability"]) < 0
    assert again("We saw") == write("We saw")


def test_a_generation_that_parts_at_a_near_tie_is_the_same_function(write: Any) -> None:
    stored = with_a_rival(write, behind=1e-6)
    assert write(**stored.value).text != stored.output["text"]
    replay(write, [stored], allowed=1e-4)


def test_a_generation_that_parts_elsewhere_is_another_function(write: Any) -> None:
    stored = with_a_rival(write, behind=0.2)
    with pytest.raises(errors.GoldenMismatch, match=r"golden example 1 .* after 2 tokens it takes another"):
        replay(write, [stored], allowed=1e-4)


def test_a_generation_in_integers_may_part_where_another_processor_rounds_otherwise_and_nowhere_else(write: Any) -> None:
    stored = with_a_rival(write, behind=0.2)
    write.form.program = replace(write.form.program, precision="int8")
    allowed = tolerance(write, write.golden)
    assert allowed == write.form.rounding > 0.5
    [row] = stored.numeric
    for lead, parts in ((0.4, True), (0.6, False)):
        leads = [*row["lead"][:2], lead, *row["lead"][3:]]
        with nullcontext() if parts else pytest.raises(errors.GoldenMismatch, match="the stored one led by 0.6"):
            replay(write, [replace(stored, numeric=[{**row, "lead": leads}])], allowed)


def test_the_stored_tokens_log_probabilities_tell_a_changed_weight(write: Any) -> None:
    assert write.form.tolerance < 1e-3
    assert tolerance(write, write.golden) < 1e-3
    first, *others = write.golden
    change(write, lambda weight: weight * 1.01)
    assert write(**first.value).text == first.output["text"], "the text alone does not tell"
    with pytest.raises(errors.GoldenMismatch, match="golden example 1 .* the log-probabilities of its tokens are off by"):
        replay(write, [first, *others], allowed=write.form.tolerance)


def test_a_generation_that_loses_its_way_while_it_writes_is_refused(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from functory_torch import batch

    advance = batch.advance
    monkeypatch.setattr(batch, "advance", lambda several, tokens, *more: advance(several, [one ^ 1 for one in tokens], *more))
    with pytest.raises(errors.GoldenMismatch, match=r"golden example \d .* after \d tokens it takes another"):
        replay(write, write.golden, allowed=write.form.tolerance)


def test_an_end_that_is_no_longer_reached_is_refused(write: Any) -> None:
    """A text that stopped early has the log-probability of its end."""
    end, first = 1, write.golden[0]
    [taken] = first.numeric[0]["tokens"][3:4]

    def ending(weight: Any) -> Any:
        weight[end] = weight[taken] * 1.5
        return weight

    change(write, ending)
    stored = record(write, [first.value])
    tokens, likely = (stored[0].numeric[0][name] for name in ("tokens", "log_probability"))
    assert len(likely) == len(tokens) + 1 <= 8
    replay(write, stored, allowed=1e-4)

    def endless(weight: Any) -> Any:
        weight[end] = 0
        return weight

    change(write, endless)
    with pytest.raises(errors.GoldenMismatch, match="golden example 1 comes out differently"):
        replay(write, stored, allowed=1e-4)


def test_a_wide_tolerance_does_not_excuse_another_answer(sentiment: Path) -> None:
    """A form in integers may be off by much in its numbers; a clear answer must stay what it was."""
    fn = functory.load(sentiment)
    clear = next(one for one in record(fn, ["A great, warm and funny film.", "Dull, stupid and much too long."])
                 if abs(one.output["scores"]["fresh"] - one.output["scores"]["rotten"]) > 0.2)  # fmt: skip
    labels = fn.state.model_copy(update={"labels": tuple(reversed(fn.state.labels))})
    numeric = [{name: value[::-1] for name, value in row.items()} for row in clear.numeric]
    flipped = fn.replaced(state=labels)
    with pytest.raises(errors.GoldenMismatch, match="its answer is another"):
        replay(flipped, [clear], allowed=10.0)
    with pytest.raises(errors.GoldenMismatch, match="its answer is another"):
        replay(fn, [replace(clear, numeric=numeric, output={**clear.output, "label": other(clear)})], allowed=10.0)


def test_an_answer_that_led_by_little_may_come_out_otherwise(sentiment: Path) -> None:
    """Another rounding, here a shift of the scores that is within the tolerance, gives the other label."""
    fn = functory.load(sentiment)
    [one] = record(fn, ["A film."])
    [row] = one.numeric
    middle = sum(row["scores"]) / 2
    near = replace(one, numeric=[{"scores": [middle + 0.01, middle - 0.01]}], output=decoded(fn, one, middle, 0.01))
    far = replace(one, numeric=[{"scores": [middle + 1.0, middle - 1.0]}], output=decoded(fn, one, middle, 1.0))
    replay(turned(fn, middle, 0.01), [near], allowed=0.1)
    with pytest.raises(errors.GoldenMismatch, match="its answer is another"):
        replay(turned(fn, middle, 1.0), [far], allowed=3.0)


def decoded(fn: functory.Function, one: Golden, middle: float, half: float) -> dict[str, Any]:
    """Return the output for two scores around a middle, the first label's above."""
    [(side, _)] = fn.trace([fn.coerce(one.value)])
    output = fn.form.formulation.decode(side, [{"scores": np.asarray([middle + half, middle - half])}], fn.state)
    return output.model_dump(mode="json")


def turned(fn: functory.Function, middle: float, half: float) -> functory.Function:
    """Return a function whose program gives two scores around a middle, the second label's above."""
    made = fn.replaced()
    [(side, _)] = fn.trace([fn.coerce("A film.")])
    made.trace = lambda values: [(side, [{"scores": np.asarray([middle - half, middle + half])}])]  # type: ignore[method-assign]
    return made


def other(one: Golden) -> str:
    """Return the label that was not given."""
    [label] = set(one.output["scores"]) - {one.output["label"]}
    return str(label)


def test_a_replay_is_remembered_for_the_same_code_backbone_and_device_alone(
    sentiment: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    function = functory.load(sentiment)
    assert replays.is_remembered(sentiment, function)
    with monkeypatch.context() as patch:
        patch.setattr(replays, "code_hash", lambda *modules: "a plugin that was edited, of the same version")
        assert not replays.is_remembered(sentiment, function)
    with monkeypatch.context() as patch:
        patch.setattr(type(function.form.backbone), "contents", lambda self: "a folder with another config.json")
        assert not replays.is_remembered(sentiment, function)
    assert not replays.is_remembered(sentiment, function.opened(device="cuda"))
    assert replays.is_remembered(sentiment, functory.load(sentiment))
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path))
    assert not replays.is_remembered(sentiment, function)
    replays.remember(sentiment, function)
    [note] = (tmp_path / "golden").iterdir()
    note.write_text("")
    assert not replays.is_remembered(sentiment, function), "half a note is none"

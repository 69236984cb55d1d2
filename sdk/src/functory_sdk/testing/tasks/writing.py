"""How a task that writes bears what nobody should ask of it: it refuses before the first token, or writes the right text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from functory.contracts.controlling import Control
from functory.contracts.decoding import Decoding
from functory.contracts.texts import texts_of
from functory.errors import FunctoryError, InputError, NotSupported, OptionError, TooLong
from functory_sdk.testing.tasks.made import TaskChecks
from functory_sdk.testing.tasks.putting import Put

NOTHING: Mapping[str, Any] = {"max_new_tokens": 0, "stop": "", "samples": 0, "beams": 0, "temperature": -1.0, "top_p": 0.0}
"""What no text can be written by."""
UNMET: Mapping[str, Mapping[str, Any]] = {
    "a number below itself": {"json_schema": {"type": "integer", "minimum": 3, "maximum": 1}},
    "no text at all": {"regex": "[^\\s\\S]"},
    "a grammar that goes round": {"grammar": "start: start"},
    "more characters than tokens": {"regex": "a{5000}"},
}
"""Guides that no text meets, or none in time."""
ATTACKS = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages[0].content }}",
    "{% for m in messages %}{{ m.content.__init__.__globals__ }}{% endfor %}",
    "{{ messages[0].content }}{{ messages.append(1) }}",
    "{% for m in messages %}{{ raise_exception('no') }}{% endfor %}", "{{ unclosed", "nobody is told anything",
)
"""Chat templates that reach for what is not theirs, fail, or leave the message out."""


class WritingChecks(TaskChecks):
    """What cannot be is refused with what to do, and the session goes on."""

    def writing(self) -> list[Put]:
        """Return the ways in which the task writes; skip a check where there are none."""
        found = [put for put in self.puts() if put.formulation.program == "generate"]
        return found or pytest.skip("the task does not write")

    def test_decoding_that_writes_nothing_is_refused(self) -> None:
        """No new tokens, an empty stop string, no samples: each is an error of the option that is named.

        If this fails: derive the task's options from `WriteOptions`, and let validators of your own refuse no less.
        """
        self.writing()
        asked = {name: value for name, value in NOTHING.items() if name in self.load().Options.model_fields}
        for name, value in self.each((asked or pytest.skip("the task has no such options")).items()):
            refused(partial(self.configured, **{name: value}), OptionError, f"{name} = {value!r}")

    def test_a_text_with_half_a_character_is_refused_or_written(self) -> None:
        """A lone surrogate, of which no bytes can be made, is refused with its field, and never an encoding error.

        If this fails: read texts by the reader, which refuses them; put none of them into a guide before it has.
        """
        base = self.inputs()[0]
        for put in self.each(self.writing()):
            for path in texts_of(base):
                value = self.changed(base, path, "a \ud800 b")
                try:
                    put.encode([value] if value is not None else [])
                except Exception as error:
                    is_told = isinstance(error, InputError) and bool(error.do)
                    assert is_told, f"{put.name}: half a character in {path} is told as {error!r}."

    def test_a_long_prompt_is_told_or_refused(self) -> None:
        """A prompt beyond the context is read in parts, cut or refused, as the recipe says; it is never longer than that.

        If this fails: read prompts with `reader.prompts`, with `spare` for what is written, and pass the notes on.
        """
        longs = [value for value in self.hard_inputs() if any(len(text) > 1000 for text in texts_of(value).values())]
        for put in self.each(self.writing()):
            spec = put.backbone.spec
            for value in longs[:1]:
                for rule in ("window", "cut"):
                    for request in put.encode([value], rule).requests:
                        room = spec.context - (request.decoding.max_new_tokens if spec.architecture == "decoder" else 0)
                        assert len(request.ids) <= room, f"{put.name}: {rule} left a prompt of {len(request.ids)} tokens."
                try:
                    encoded = put.encode([value], "refuse")
                except TooLong:
                    continue
                assert len(encoded.requests) != 1, f"{put.name}: a prompt beyond the context was not refused."

    def test_a_guide_that_nothing_meets_is_refused_and_the_session_goes_on(self) -> None:
        """A guide that no text meets, or none within the tokens, is an error before the first token; then others are written.

        If this fails: let `using` refuse what the task cannot be held to, or leave guides to the engine.
        """
        value = self.inputs()[0]
        for put in self.writing():
            before = put.compute([value])
            for name, guide in self.each(UNMET.items()):
                refused(partial(self._guided, put, guide, value), (OptionError, NotSupported), name)
            assert put.compute([value]) == before, f"{put.name}: after a refused guide the same input is written otherwise."

    def test_a_control_is_held_or_refused(self) -> None:
        """A control that free texts would be held to is in every request, by itself, or it is refused: it is never passed over.

        If this fails: make requests by `Write.requests`; or, where texts have a form of their own, set `takes_control = False`.
        """
        value = self.inputs()[0]
        for put in self.each(self.writing()):
            try:
                other = self._otherwise(put, Decoding(control=Control(must_not=("never that",))))
            except OptionError as error:
                assert error.do, f"{put.name}: {error.what} It says not what to do."
                continue
            for request in other.encode([value]).requests:
                is_held = request.steer is not None and request.guide is None
                assert is_held, f"{put.name}: a control is passed over."

    def test_a_template_that_attacks_is_refused(self) -> None:
        """A chat template that reaches for Python's insides, fails, or leaves the message out is refused.

        If this fails: put texts into a template by `chat_frame` or `turns_frame`, which fill it in a sandbox.
        """
        value, puts = self.inputs()[0], self.writing()
        if "chat" not in self.load().Options.model_fields:
            pytest.skip("the task uses no chat template")
        for put in puts:
            for template in self.each(ATTACKS):
                spec = put.backbone.spec.model_copy(update={"chat_template": template})

                def written(spec: Any = spec, put: Put = put) -> None:
                    made = self.configured(chat="on").formulations(spec)["prompt"]
                    made.encode([value], put.reader(), put.state)

                refused(written, NotSupported, template)

    def test_a_system_text_without_a_template_is_refused_or_read(self) -> None:
        """Where no template tells it, a system text is refused, or stands in the prompt in another way: it is never dropped.

        If this fails: let `Write` see the options as they are; or put `system` into the frame yourself.
        """
        value, puts = self.inputs()[0], self.writing()
        if "system" not in self.load().Options.model_fields:
            pytest.skip("the task has no system text")
        for put in self.each(puts):
            task = self.configured(system="quite fine")
            try:
                made = task.formulations(put.backbone.spec)["prompt"]
            except OptionError as error:
                assert error.do, f"{put.name}: {error.what} It says not what to do."
                continue
            for request in made.encode([value], put.reader(), put.state).requests:
                told = put.backbone.tokenizer.text(request.ids)
                assert "quite fine" in told, f"{put.name}: the system text is dropped; the prompt is {told!r}."

    def _guided(self, put: Put, guide: Mapping[str, Any], value: Any) -> None:
        self._otherwise(put, Decoding(guide=guide)).compute([value])

    def _otherwise(self, put: Put, asked: Decoding) -> Put:
        """Return what writes as it does but for some options, those that are set in another decoding."""
        decoding = put.formulation.decoding
        assert decoding is not None, f"{put.name}: it writes, and says not how."
        changed = {name: getattr(asked, name) for name in asked.model_fields_set}
        held = put.formulation.using(Decoding.of(decoding).model_copy(update=changed))
        return Put(put.name, put.task, put.state, put.backbone, held, put.form)


def refused(call: Callable[[], Any], kinds: type[FunctoryError] | tuple[type[FunctoryError], ...], what: str) -> None:
    """Fail unless a call is refused with one of some errors, and what to do."""
    try:
        call()
    except kinds as error:
        assert error.do, f"{what}: {error.what} It says not what to do."
        return
    raise AssertionError(f"{what} was not refused.")


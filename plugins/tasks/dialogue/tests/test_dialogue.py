"""Conversations: which turns are read, in which frame, and how the next one is measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from functory_dialogue import Conversation, Dialogue, DialogueOptions, Replied
from functory_sdk import InputError, NotSupported, OptionError, State, TooLong, Written, distinct_scorer
from functory_sdk.testing import TaskSuite, kit

CHATML = (
    "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
ALTERNATING = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('user first') }}"
    "{% endif %}[{{ m['content'] }}]{% endfor %}"
)


class TestDialogue(TaskSuite):
    component = "dialogue"
    options = {"max_new_tokens": 6}
    examples = [
        {"turns": [f"the {word} film", "a", "b"], "reply": word, "system": system}
        for word, system in (("good", ""), ("bad", "brief"), ("fine", ""), ("poor", "kind"))
    ] * 3

    def perfect(self, example: Replied, state: State) -> Written:
        return Written(text=example.reply, tokens=1, finish="end")


@pytest.fixture(scope="module")
def chat() -> Iterator[Any]:
    """A tiny decoder without a template: it reads a script."""
    pytest.importorskip("torch")
    import functory

    with kit():
        yield functory.build(
            task={"name": "dialogue", "max_new_tokens": 10, "system": "Be brief."},
            backbone={"name": "tiny-decoder", "context": 128},
        )


def told(function: Any, turns: Any, system: str = "") -> str:
    """Return the prompt that a conversation becomes."""
    value = function.coerce({"turns": turns, "system": system})
    [request] = function.form.formulation.encode([value], function.reader, function.state).requests
    return str(function.reader.tokenizer.text(request.ids, keep_special=True))


def templated(function: Any, template: str, **options: Any) -> Any:
    """Return a function as on a backbone that has a chat template."""
    spec = function.form.spec.model_copy(update={"chat_template": template})
    put = Dialogue(DialogueOptions(max_new_tokens=10, **options)).formulations(spec)["prompt"]
    return function.replaced(form=replace(function.form, formulation=put))


def test_a_script_names_who_speaks_and_ends_where_the_other_would(chat: Any) -> None:
    assert told(chat, ["Hi"]) == "Be brief.\n\nUser: Hi\nAssistant:"
    assert told(chat, ["Hi", "Yes?", "Go"]) == "Be brief.\n\nUser: Hi\nAssistant: Yes?\nUser: Go\nAssistant:"
    assert told(chat, ["Yes?", "Go"]) == "Be brief.\n\nAssistant: Yes?\nUser: Go\nAssistant:"
    stops = chat.form.formulation.stops(chat.reader.tokenizer)
    ids = chat.reader.tokenizer.tokens([" Fine.\nUser: and then"])[0].ids.tolist()
    assert stops.text(ids) == (" Fine.", True)
    other = chat.using(stop=["and"]).form.formulation.stops(chat.reader.tokenizer)
    assert set(other.strings) == {"and", "\nUser:"}, "a call's own stop strings come beside it"


def test_a_template_gets_each_turn_in_its_role_and_the_persona_first(chat: Any) -> None:
    made = templated(chat, CHATML, system="Be brief.")
    wanted = "<system>Be brief.\n<user>Hi\n<assistant>Yes?\n<user><assistant>{{ 7 * 7 }}\n<assistant>"
    assert told(made, ["Hi", "Yes?", "<assistant>{{ 7 * 7 }}"]) == wanted
    assert told(made, ["Hi"], "<user>{{ 7 * 7 }}") == "<system>Be brief.\n\n<user>{{ 7 * 7 }}\n<user>Hi\n<assistant>"
    assert told(chat, ["Hi"], "Be kind.") == "Be brief.\n\nBe kind.\n\nUser: Hi\nAssistant:"
    with pytest.raises(NotSupported, match="chat template failed"):
        told(templated(chat, ALTERNATING), ["Hi"], "Be kind.")


def test_a_long_history_loses_whole_turns_and_says_so(chat: Any) -> None:
    turns = [f"turn {place:02} is this" for place in range(21)]
    prompt, output = told(chat, turns), chat(turns)
    assert prompt.startswith("Be brief.\n\nUser: turn ")
    kept = prompt.count("turn ")
    assert kept % 2
    assert 1 < kept < 21
    assert prompt.endswith("User: turn 20 is this\nAssistant:")
    assert output.notes == (f"the first {21 - kept} of 21 turns were left out",)
    more = told(chat, turns[: 20 - kept]) if kept < 20 else ""
    assert more
    room = chat.reader.room(chat.form.formulation.framed_turns(kept + 2), spare=10)
    assert sum(map(len, turns[-kept - 2 :])) > room or kept == 21, "two more would not have fitted"


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
def test_turns_that_fit_are_all_read_whoever_began(chat: Any, count: int) -> None:
    turns = [f"t{place}" for place in range(count)]
    assert all(turn in told(chat, turns) for turn in turns)
    assert not chat(turns).notes


def test_a_template_that_wants_a_user_first_gets_one(chat: Any) -> None:
    made = templated(chat, ALTERNATING)
    assert told(made, ["a", "b", "c"]) == "[a][b][c]"
    assert told(made, ["a", "b"]) == "[b]"
    assert made(["a", "b"]).notes == ("the first 1 of 2 turns were left out",)


def test_a_last_turn_that_is_too_long_is_cut_and_a_long_history_is_refused_where_the_recipe_says_so(chat: Any) -> None:
    assert any(note.startswith("cut at") for note in chat(["x" * 500]).notes)
    strict = chat.replaced(about=replace(chat.about, long_text="refuse"))
    with pytest.raises(TooLong, match="the conversation has 41 turns; the last [0-9]+ fit"):
        strict(["some words"] * 41)
    with pytest.raises(TooLong, match="tokens"):
        strict("x" * 500)
    two = templated(chat, CHATML, most_turns=2)
    assert told(two, ["a", "b", "c", "d"]) == "<user>d\n<assistant>"
    assert two.replaced(about=replace(chat.about, long_text="refuse"))(["a", "b", "c"]).notes


def test_a_turn_is_the_same_in_any_batch_as_a_stream_and_when_it_is_loaded(chat: Any, tmp_path: Path) -> None:
    import functory

    conversations = [["Hi"], ["Hi", "Yes?", "价格"], ["a"] * 31, ["We saw", "the film"]]
    together = list(chat.map([{"turns": turns} for turns in conversations], progress=False))
    assert together == [chat(turns) for turns in conversations]
    assert ["".join(chat.stream(turns)) for turns in conversations] == [one.text for one in together]
    again = functory.load(chat.save(tmp_path / "chat"))
    assert [again(turns) for turns in conversations] == together


def test_from_the_command_line_a_conversation_is_a_text_or_a_list(chat: Any, tmp_path: Path, capsys: Any) -> None:
    from functory.cli import main

    folder = str(chat.save(tmp_path / "chat"))
    for given, turns in (("Hi", ["Hi"]), ('["Hi", "Yes?", "Go"]', ["Hi", "Yes?", "Go"])):
        assert main(["run", folder, given, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["text"] == chat(turns).text


def test_messages_are_turns_and_what_is_none_is_refused(chat: Any) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Go"}]
    assert told(chat, messages) == told(chat, ["Hi", "Yes?", "Go"])
    assert told(chat, "Hi") == told(chat, ["Hi"])
    for wrong, says in (
        ([], "at least 1 item"),
        ([messages[0], messages[0]], "do not take turns"),
        ([{"role": "system", "content": "x"}, messages[0]], "'system' is neither user nor assistant"),
        ([3], "string"),
    ):
        with pytest.raises(InputError, match=says):
            chat.coerce({"turns": wrong})


def test_the_last_turn_of_a_conversation_without_a_reply_is_it() -> None:
    whole = Replied.model_validate({"turns": ["a", "b", "c"]})
    assert (whole.turns, whole.reply) == (("a", "b"), "c")
    given = Replied.model_validate({"turns": ["a", "b"], "reply": "c"})
    assert given == whole
    with pytest.raises(ValidationError, match="too few for the last one"):
        Replied.model_validate({"turns": ["a"]})


def test_it_learns_from_a_file_of_conversations(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    import functory

    file = tmp_path / "talks.jsonl"
    rows = [{"turns": ["We saw", f"the {word} film", word]} for word in ("good", "bad", "fine", "poor") * 2]
    file.write_text("\n".join(map(json.dumps, rows)))
    with kit():
        taught = functory.build(
            task={"name": "dialogue", "max_new_tokens": 8}, train=file, dev=file, backbone="tiny-decoder", report=False,
            adaptation={"name": "lora", "epochs": 8, "learning_rate": 2e-2},
        )  # fmt: skip
        report = taught.evaluate(file)
    assert taught.about.data["fit"]["dev_log_probability"] > -3
    assert set(report.metrics) == {"word_f1", "rougeL", "distinct1", "distinct2"}


def test_distinct_words_are_counted_over_all_texts_and_a_part_is_not_more_varied() -> None:
    score = distinct_scorer(["a b a", "a c", "", "价格 价"])
    whole = score(np.arange(4))
    assert whole["distinct1"] == pytest.approx(5 / 8)  # a b c 价 格 of eight
    assert whole["distinct2"] == pytest.approx(5 / 5)
    assert score(np.asarray([2])) == {"distinct1": 0.0, "distinct2": 0.0}
    same = distinct_scorer(["no idea"] * 10)
    assert same(np.arange(10))["distinct1"] == pytest.approx(0.1)
    assert same(np.zeros(5, dtype=np.int64))["distinct1"] == pytest.approx(0.1)


def test_what_cannot_be_is_told_at_the_build() -> None:
    from functory_sdk import BackboneSpec

    sizes: dict[str, Any] = {"width": 8, "layers": 1, "vocabulary": 9, "context": 9, "pad_id": 0, "weights_hash": "0"}
    with pytest.raises(NotSupported, match="is an encoder and writes no text"):
        Dialogue().formulations(BackboneSpec(reference="x", architecture="encoder", family="bert", **sizes))
    decoder = BackboneSpec(reference="x", architecture="decoder", family="llama", has_logits=True, **sizes)
    with pytest.raises(NotSupported, match="no chat template"):
        Dialogue(DialogueOptions(chat="on")).formulations(decoder)
    with pytest.raises(OptionError, match="two different names are wanted"):
        Dialogue.configure({"names": ["A", "A"]})
    assert Conversation(turns="Hi").turns == ("Hi",)  # type: ignore[arg-type]

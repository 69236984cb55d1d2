"""Code: how it is asked for, found, checked and measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from functory_code import Code, CodeOptions, CodeWriting, Tested, Wanted, lacking
from functory_code.blocks import checked, extracted, until_fence
from functory_code.testing import pass_at
from functory_sdk import NotSupported, OptionError, State
from functory_sdk.testing import TaskSuite, kit

CHATML = (
    "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
ADD = Tested(text="add", reference="def add(a, b):\n    return a + b", test="assert add(1, 2) == 3", entry="add")

walled = pytest.mark.skipif(bool(lacking()), reason=f"no code is run here: {lacking()}")


class TestCode(TaskSuite):
    component = "code"
    options = {"max_new_tokens": 6}
    examples = [{"text": f"give {number}", "start": "x" * number, "reference": f"x = {number}"} for number in range(4)] * 3

    def perfect(self, example: Tested, state: State) -> Code:
        return Code(text=example.reference, code=example.reference, is_valid=True, tokens=1, finish="end")


@pytest.fixture(scope="module")
def coder() -> Iterator[Any]:
    """A tiny decoder without a template."""
    pytest.importorskip("torch")
    import functory

    with kit():
        yield functory.build(task={"name": "code", "max_new_tokens": 10}, backbone={"name": "tiny-decoder", "context": 256})


def told(function: Any, **fields: str) -> str:
    """Return the prompt that an input becomes."""
    [request] = function.form.formulation.encode([Wanted(**fields)], function.reader, function.state).requests
    return str(function.reader.tokenizer.text(request.ids, keep_special=True))


def put(function: Any, template: str = "", **options: Any) -> Any:
    """Return a function with other options, as on a backbone that has a chat template."""
    spec = function.form.spec.model_copy(update={"chat_template": template})
    made = CodeWriting(CodeOptions(max_new_tokens=10, **options)).formulations(spec)["prompt"]
    return function.replaced(form=replace(function.form, formulation=made))


def read(function: Any, told: str, **fields: str) -> Code:
    """Return what a text becomes that is written for an input."""
    formulation = function.form.formulation
    [side] = formulation.encode([Wanted(**fields)], function.reader, function.state).side
    ids = function.reader.tokenizer.tokens([told])[0].ids
    found: Code = formulation.decode(side, [{"tokens": np.asarray(ids)}], function.state)
    return found


def test_an_answer_begins_within_a_block_and_with_the_beginning_that_is_given(coder: Any) -> None:
    chat = put(coder, CHATML)
    assert told(chat, text="Add.") == "<user>Write python code. Add.\n<assistant>```python\n"
    assert told(chat, text="Add.", start="def f(") == "<user>Write python code. Add.\n<assistant>```python\ndef f("
    assert told(chat, start="def f(") == "<user>Complete this code:\n\n```python\ndef f(\n```\n<assistant>```python\ndef f("
    assert told(coder, text="Add.") == "Add.\n\n```python\n"
    assert told(coder, start="def f(") == "def f(", "a base model goes on with code as it stands"
    free = put(coder, CHATML, block=False, language="rust", prompt="{text} In {language}.")
    assert told(free, text="Add.", start="fn f(") == "<user>Add. In rust.\n\nfn f(\n<assistant>"


def test_the_white_space_at_the_end_of_a_beginning_is_the_backbones_to_write(coder: Any) -> None:
    """Tokens hold the end of a line with the next one's indentation: parted, smollm2 ended its code there."""
    assert told(put(coder, CHATML), text="Add.", start="def f():\n").endswith("```python\ndef f():")
    assert read(coder, "\n    return 1\n```", start="def f():\n    ").code == "def f():\n    return 1"
    formulation = coder.form.formulation
    example = Tested(start="def f():\n    ", reference="g()\n")
    taught = formulation.teach([example], [Wanted(start=example.start)], coder.reader, coder.state)
    assert coder.reader.tokenizer.text(taught.rows[0]["input_ids"]).startswith("def f():\n    g()")


def test_code_ends_with_its_block_and_has_its_beginning(coder: Any) -> None:
    found = read(put(coder, CHATML), "a):\n    return a\n```\nThis returns a.", text="x", start="def f(")
    assert (found.code, found.finish, found.is_valid) == ("def f(a):\n    return a", "stop", True)
    assert read(put(coder, CHATML), "```\n", text="x").code == ""
    broken = read(coder, "a:\n", start="def f(")
    assert (broken.is_valid, broken.fault) == (False, "line 1: '(' was never closed")
    free = read(put(coder, CHATML, block=False), "Here:\n```py\nx = 1\n```\nand\n```python\ny = 2", text="x")
    assert free.code == "x = 1\n"
    rust = read(put(coder, CHATML, language="rust"), "fn f() {}", text="x")
    assert (rust.is_valid, rust.notes) == (None, ("the syntax of rust is not checked",))


def test_code_is_the_same_in_any_batch_as_a_stream_and_when_it_is_loaded(coder: Any, tmp_path: Any) -> None:
    import functory

    inputs = [{"text": "Add."}, {"start": "def f("}, {"text": "写一个函数", "start": "x"}, {"text": ""}]
    together = list(coder.map(inputs, progress=False))
    assert together == [coder(**one) for one in inputs]
    assert "".join(coder.stream("Add.")) == together[0].text
    again = functory.load(coder.save(tmp_path / "coder"))
    assert [again(**one) for one in inputs] == together


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no block", "no block"),
        ("a\n```\nx = 1\n```\nb", "x = 1\n"),
        ("```bash\nls\n```\n```python\nx\n```", "x\n"),
        ("```bash\nls\n```", "ls\n"),
        ("```Python3 title='a'\nx\n", "x\n"),
        ("a ``` in a line\n  ```py\ny\n  ```", "y\n"),
        ("```python\nx = '```'\n```", "x = '```'\n"),
        ("```python\n```\n```python\nx\n```", ""),
        ("", ""),
    ],
)
def test_the_first_block_of_the_language_is_taken(text: str, code: str) -> None:
    assert extracted(text, "python") == code


@pytest.mark.parametrize(
    ("code", "language", "is_valid", "fault"),
    [
        ("x = 1", "python", True, ""), ("", "python", True, ""), ("x = = 1", "py", False, "line 1: invalid syntax"),
        ("return 1", "python", False, "line 1: 'return' outside function"), ("x\0", "python", False, "null bytes"),
        ("(" * 5000, "python", False, ""), ("-" * 200_000 + "1", "python", False, "nested too deep"),
        ("'\\d'", "python", True, ""),
        ("x = '\ud800'", "python", False, ""), ('{"a": [1]}', "json", True, ""), ("{a: 1}", "JSON", False, "line 1"),
        ("[" * 200_000, "json", False, "nested"), ("a = 1", "toml", True, ""), ("a = ", "toml", False, "Invalid value"),
        ("fn", "rust", None, ""),
    ],
)  # fmt: skip
def test_syntax_is_checked_and_nothing_breaks_the_check(code: str, language: str, is_valid: bool | None, fault: str) -> None:
    found = checked(code, language)
    assert found[0] is is_valid
    assert fault in found[1]


def test_a_block_ends_where_a_line_closes_it() -> None:
    assert until_fence("x = '```'\n```\ny") == "x = '```'\n"
    assert until_fence("x") == "x"


@pytest.mark.parametrize(
    ("n", "c", "k", "wanted"), [(1, 1, 1, 1), (1, 0, 1, 0), (4, 1, 1, 0.25), (4, 1, 2, 0.5), (5, 4, 2, 1), (10, 3, 5, 11 / 12)]
)
def test_pass_at_k_is_how_likely_one_of_k_drawn_samples_is_right(n: int, c: int, k: int, wanted: float) -> None:
    assert pass_at(k, n, c) == pytest.approx(wanted)


def answer(code: str, *others: str) -> Code:
    return Code(text=code, code=code, other_codes=others, is_valid=True, tokens=1, finish="end")


@walled
def test_codes_are_measured_by_their_tests_where_that_is_allowed() -> None:
    task = CodeWriting(CodeOptions(allow_execution=True, seconds=1))
    checker = Tested(text="is", test="def check(f):\n    assert f(2)\n    assert not f(3)", entry="even")
    bare = Tested(text="x", reference="x = 1")
    examples = [ADD, checker, bare]
    right, wrong = "add = lambda a, b: a + b", "add = lambda a, b: a - b"
    outputs = [answer(right, wrong), answer("even = lambda n: n % 2 == 0", "def even(n): return True"), answer("x = 1", "x = 2")]
    score = task.scorer(outputs, examples, State())
    whole = score(np.arange(3))
    assert whole["pass@1"] == 0.5
    assert whole["exact_match"] == 0.5
    assert score(np.asarray([2]))["pass@1"] == 0.5, "what has no test says nothing"
    assert (task.deciding(whole), task.judge(outputs[0], ADD, State()).is_right) == ("pass@1", True)
    judged = task.judge(answer(wrong), ADD, State())
    assert judged.is_right is False
    assert "AssertionError" in judged.given
    five = task.scorer([answer(*[right] * 2, *[wrong] * 3)], [ADD], State())(np.arange(1))
    assert (five["pass@1"], five["pass@5"]) == (pytest.approx(0.4), 1.0)


def test_nothing_is_run_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("it was run")

    monkeypatch.setattr("functory_code.testing.run_all", never)
    task = CodeWriting(CodeOptions())
    score = task.scorer([answer(ADD.reference), answer("x")], [ADD, ADD], State())
    assert score(np.arange(2)) == {"exact_match": 0.5, "word_f1": pytest.approx(0.5), "valid": 1.0}
    assert task.judge(answer("x"), ADD, State()).is_right is False
    untold = Tested(text="x", test="assert x")
    assert task.judge(answer("x = 1"), untold, State()).is_right is None
    assert task.deciding(task.scorer([answer("x")], [untold], State())(np.arange(1))) == "valid"


def test_a_system_without_walls_is_refused_before_anything_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    pytest.importorskip("torch")
    import functory

    file = tmp_path / "problems.jsonl"
    file.write_text(ADD.model_dump_json() + "\n")
    with kit():
        asked = functory.build(task={"name": "code", "max_new_tokens": 4, "allow_execution": True}, backbone="tiny-decoder")
        monkeypatch.setattr("functory_code.sandbox.lacking", lambda: "user namespaces are off")
        assert asked("Add.").tokens <= 4, "writing needs no walls"
        with pytest.raises(NotSupported, match="code is not run here: user namespaces are off"):
            asked.evaluate(file)


@walled
def test_it_learns_from_a_file_and_is_measured_by_tests(tmp_path: Any) -> None:
    pytest.importorskip("torch")
    import functory

    file = tmp_path / "problems.jsonl"
    rows = [Tested(text=f"give {n}", reference=f"x = {n}", test=f"assert x == {n}") for n in (1, 2)] * 4
    file.write_text("\n".join(row.model_dump_json() for row in rows))
    with kit():
        taught = functory.build(
            task={"name": "code", "max_new_tokens": 12, "allow_execution": True}, train=file, dev=file, backbone="tiny-decoder",
            adaptation={"name": "lora", "epochs": 12, "learning_rate": 2e-2}, report=False,
        )  # fmt: skip
        report = taught.evaluate(file)
    assert {"pass@1", "exact_match", "word_f1", "valid"} == set(report.metrics)
    assert taught.about.data["fit"]["dev_log_probability"] > -3


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(OptionError, match="a language is one word"):
        CodeWriting.configure({"language": "my language"})
    with pytest.raises(ValueError, match="a reference, a test, or both are wanted"):
        Tested(text="x")
    with pytest.raises(ValueError, match="is no name of a function"):
        Tested(test="x", entry="__import__('os')")

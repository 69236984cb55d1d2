"""A served function is called, mapped, measured and explained as if it were here."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory_remote import FunctionChanged, RequestRefused, ServerFailed, Unreachable
from functory_sdk import Form, Function, FunctoryError, InputError, NotSupported, OptionError, TooLong, UsageError
from functory_sdk.testing.toy import rows
from functory_serve import served
from functory_serve.access import Token

TEXT = "we saw the good film"


@pytest.fixture(scope="module")
def far(url: str) -> Function:
    return functory.load(f"{url}/toy", batch=8)


@pytest.fixture(scope="module")
def story(toy: Function) -> Function:
    return functory.build(task="text-generation", backbone="tiny-decoder", name="story")


@pytest.fixture(scope="module")
def far_story(story: Function) -> Iterator[Function]:
    with served({"story": story}) as url:
        yield functory.load(url)


def test_it_is_the_same_function_with_the_same_types_and_bytes(far: Function, toy: Function) -> None:
    assert far(TEXT) == toy(TEXT)
    assert type(far(TEXT)) is type(toy(TEXT))
    assert far(TEXT).json() == toy(TEXT).json()
    assert far.signature == toy.signature
    assert str(far.__signature__) == str(toy.__signature__)
    assert far.state == toy.state
    assert far.about.metrics == toy.about.metrics
    assert far.form.name.startswith("remote http://127.0.0.1")
    assert "Labels: no, yes" in (type(far).__doc__ or "")


def test_many_inputs_come_back_in_their_order_and_lone_ones_as_computed_alone(far: Function, toy: Function) -> None:
    texts = [row["text"] for row in rows(150, seed=5)]
    mine, theirs = list(far.map(texts)), list(toy.map(texts))
    assert [one.label for one in mine] == [one.label for one in theirs]
    for one, other in zip(mine, theirs, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=toy.form.tolerance)
    assert asyncio.run(far.acall(TEXT)) == toy(TEXT)


def test_it_is_measured_and_explained_by_the_task_that_is_here(far: Function, toy: Function) -> None:
    mine, theirs = (one.evaluate(rows(40, seed=3)) for one in (far, toy))
    assert mine.metrics == theirs.metrics
    found = far.explain(TEXT)
    weights = {piece.text: piece.weight for piece in found.pieces}
    assert max(weights, key=weights.__getitem__) == "good"
    with pytest.raises(NotSupported, match="occlusion"):
        far.explain(TEXT, method="gradient-x-input")


def test_a_text_is_streamed_as_it_is_written(far_story: Function, story: Function) -> None:
    with far_story.stream("we saw") as pieces:
        text = "".join(pieces)
    with story.stream("we saw") as own:
        assert (text, pieces.finish) == ("".join(own), own.finish)
    assert far_story("we saw") == story("we saw")
    left = far_story.stream("we saw")
    next(left)
    left.close()
    assert (left.finish, list(left)) == ("closed", [])


def test_what_needs_a_program_is_refused_with_where_the_function_is(far: Function, tmp_path: Path) -> None:
    for ask in (lambda: far.session, lambda: far.trace([far.read(TEXT)]), lambda: far.using(seed=1)):
        with pytest.raises(NotSupported, match="toy is served elsewhere, at http://127"):
            ask()
    with pytest.raises(NotSupported, match="does not write"):
        far.stream(TEXT)
    with pytest.raises(NotSupported, match="cannot be saved"):
        far.save(tmp_path / "far")


class Picky(Form):
    """The toy function, which refuses what it does not like."""

    kind = "picky"
    tolerance = 1e-4
    name = "picky"

    def __init__(self, toy: Function) -> None:
        self.toy = toy

    def outputs(self, function: Function, values: Sequence[Any], told: Any = None) -> list[Any]:
        for value in values:
            if value.text == "long":
                raise TooLong("this text is too long.", where="its end", do="cut it.")
            if value.text == "broken":
                raise ZeroDivisionError("a secret path")
        return self.toy.form.outputs(self.toy, values, told)


def test_what_the_function_refuses_is_the_same_error_here(toy: Function, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy.replaced(form=Picky(toy))}) as (url, _):
        far = functory.load(f"{url}/toy", batch=4)
        with pytest.raises(TooLong, match="this text is too long") as caught:
            far("long")
        assert (caught.value.do, caught.value.where) == ("cut it.", f"{url}/toy, its end")
        with pytest.raises(TooLong, match=f"where: {url}/toy, its end"):
            list(far.map([*[TEXT] * 9, "long", TEXT]))
        with pytest.raises(ServerFailed, match="the function failed") as failed:
            far("broken")
        assert "secret" not in str(failed.value)
        with pytest.raises(InputError, match="text"):  # told here, without asking anybody
            far(3)
        assert far(TEXT) == toy(TEXT), "the next call is as before"


def test_a_url_is_a_functions_its_route_or_that_of_a_server_with_one(toy: Function, url: str, serve: Callable[..., Any]) -> None:
    for one in (url, f"{url}/", f"{url}/toy/", f"{url}/v1/functions/toy"):
        assert functory.load(one).form.name == f"remote {url}/toy"
    with serve({"toy": toy, "other": toy}) as (two, _), pytest.raises(UsageError, match="names no function") as caught:
        functory.load(two)
    assert caught.value.do == "add one: toy, other."
    for wrong, told in (
        (f"{url}/nope", "there is no function of that name"), ("ftp://127.0.0.1/toy", "begins with ftp://"),
        ("http://me:secret@127.0.0.1/toy", "would stand in logs"), ("http://127.0.0.1:x/toy", "this is no URL"),
        (f"{url}/toy?x=1", "not where a function is served"),
    ):  # fmt: skip
        with pytest.raises(FunctoryError, match=told) as refused:
            functory.load(wrong)
        assert "secret" not in str(refused.value)
    for options, told in (({"form": "torch fp32"}, "opened where it is"), ({"backbone": "./x"}, "opened where it is")):
        with pytest.raises(UsageError, match=told):
            functory.load(f"{url}/toy", **options)
    with pytest.raises(OptionError, match="thread"):
        functory.load(f"{url}/toy", threads=2)


def test_a_token_is_given_by_option_or_by_the_environment(
    toy: Function, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [Token(sha256=hashlib.sha256(b"open").hexdigest())]
    with serve({"toy": toy}, tokens=tokens) as (url, _):
        for given in ({}, {"token": "wrong"}):
            with pytest.raises(RequestRefused, match="no token lets this request in"):
                functory.load(f"{url}/toy", **given)
        far = functory.load(f"{url}/toy", token="open")
        assert far(TEXT) == toy(TEXT)
        assert "open" not in repr(far.form.there.options)
        monkeypatch.setenv("FUNCTORY_TOKEN", "open")
        assert functory.load(f"{url}/toy")(TEXT) == toy(TEXT)
        with pytest.raises(OptionError):
            functory.load(f"{url}/toy", token="two\r\nlines")


def test_it_speaks_tls_with_servers_whose_certificate_is_trusted(
    toy: Function, serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, key = tmp_path / "made.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1", "-out", str(made), "-keyout", str(key)],
        check=True, capture_output=True,
    )  # fmt: skip
    with serve({"toy": toy}, certificate=(str(made), str(key))) as (url, _):
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            functory.load(f"{url}/toy")
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
        assert functory.load(f"{url}/toy")(TEXT) == toy(TEXT)


def test_another_version_of_the_same_types_takes_over_and_another_function_is_refused(
    toy: Function, serve: Callable[..., Any], tmp_path: Path
) -> None:
    versions = {"now": toy}
    with serve({"toy": toy}, reopen=lambda name: versions["now"]) as (url, service):
        far = functory.load(f"{url}/toy", batch=4)

        def replace(**changes: Any) -> None:
            versions["now"] = toy.replaced(**changes)
            asyncio.run_coroutine_threadsafe(service.reload(), service.servings["toy"]._loop).result(60)

        replace(about=dataclasses.replace(toy.about, version="0.2.0"))
        assert [one.label for one in far.map([TEXT] * 9)] == [toy(TEXT).label] * 9
        assert far.about.version == "0.2.0"
        replace(state=toy.state.model_copy(update={"labels": ("no", "maybe")}), golden=[])
        with pytest.raises(FunctionChanged, match=r"label \(no \| yes\).* label \(no \| maybe\), scores now") as caught:
            far(TEXT)
        assert caught.value.do == "load it again."


def test_a_digest_pins_what_is_served(toy: Function, serve: Callable[..., Any], tmp_path: Path) -> None:
    saved = functory.load(toy.save(tmp_path / "toy"))
    with serve({"toy": saved, "made": toy}) as (url, _):
        digest = functory.verify(tmp_path / "toy").sha256
        assert functory.load(f"{url}/toy", sha256=digest).sha256 == digest
        for name, told in (("toy", f"has the digest {digest}"), ("made", "was never saved")):
            with pytest.raises(RequestRefused, match=told):
                functory.load(f"{url}/{name}", sha256="0" * 64)


def test_training_rows_prompts_and_leave_to_run_code_do_not_go_over_the_wire(url: str, toy: Function) -> None:
    from functory_sdk import load

    state = load("tasks", "text-classification").State(labels=("a", "b"), shown={"examples": [{"text": "private"}]})
    assert "private" not in json.dumps(state.said())
    assert load("tasks", "code").configure({"allow_execution": True, "system": "private", "language": "python"}).said() == {
        "language": "python"
    }


def test_the_command_line_takes_a_url_wherever_it_takes_a_folder(
    url: str, toy: Function, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["run", f"{url}/toy", TEXT, "--json"]) == 0
    assert capsys.readouterr().out == toy(TEXT).json().replace("{", '{"row":1,', 1) + "\n"
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(map(json.dumps, rows(20, seed=3))))
    assert main(["evaluate", f"{url}/toy", "--data", str(data), "--json"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["run", f"{url}/nope", TEXT]) == 2
    assert "there is no function of that name here" in capsys.readouterr().err
    assert main(["run", f"{url}/toy", TEXT, "--threads", "2"]) == 2
    assert "opened where it is" in capsys.readouterr().err

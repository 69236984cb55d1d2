"""The pages in a real Chromium: what a person does there, and what a page must never do."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functory_sdk import Classification, Entity, Function, entries, load
from functory_sdk.testing import kit, toy_function

pytestmark = [pytest.mark.slow, pytest.mark.peer(name="browser")]

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>\u202egnorw"
FACTS = "🎬 Ann Lee wrote Winter in Rome.\n李雷 lives there."
OUTPUTS = Path(__file__).with_name("outputs.json")
"""Outputs of tasks that are there, and of one that is not, by kind; for which inputs; and what is to be read of them."""
QUOTED = 'it\'s "good" and $HOME `date` \\ 好 🎬\nfilm'


@pytest.fixture(scope="module")
def write(toy: Function) -> Any:
    """A function that writes, on a tiny decoder."""
    import functory

    return functory.build(task={"name": "text-generation", "max_new_tokens": 12}, backbone="tiny-decoder", name="write")


@pytest.fixture(scope="module")
def facts(said: Callable[..., Function]) -> Function:
    """A graph of a text whose first character is two of a script's."""
    from functory_relation.graph import Edge, Graph
    from functory_relation.graphs import RelationGraph

    words = [("Ann Lee", "Person"), ("Winter", "Work"), ("Rome", "Town"), ("李雷", "Person")]
    nodes = tuple(
        Entity(text=word, label=label, start=FACTS.index(word), end=FACTS.index(word) + len(word), score=0.9)
        for word, label in words
    )
    edges = (Edge(head=0, tail=1, label="author", score=0.8), Edge(head=3, tail=2, label="lives in", score=0.7))
    return said(RelationGraph(), {FACTS: Graph(text=FACTS, nodes=nodes, edges=edges)}, name="facts")


@pytest.fixture(scope="module")
def hostile(said: Callable[..., Function]) -> Function:
    """A function whose answers are markup."""
    from functory_text_classification import TextClassification

    answer = Classification(
        label=HOSTILE, score=0.9, scores={HOSTILE: 0.9, "other": 0.1}, labels=(HOSTILE,), notes=(HOSTILE,)
    )
    return said(TextClassification(), {HOSTILE: answer}, name="hostile")


@pytest.fixture(scope="module")
def url(toy: Function, write: Any, facts: Function, hostile: Function, serve: Callable[..., Any]) -> Iterator[str]:
    """A server with all of them."""
    with kit():
        functions = {
            "toy": toy,
            "write": write,
            "facts": facts,
            "hostile": hostile,
            "many": toy_function(task="toy-many"),
        }
        with serve(functions) as found:
            yield found


def run(page: Any, text: str = "") -> None:
    """Ask for the output of a text."""
    if text:
        page.locator("textarea").first.fill(text)
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector(".out > :is(.shown, .problem, .facts)")


def test_a_person_takes_an_example_and_sees_the_output_and_which_words_made_it_so(
    url: str, toy: Function, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{url}/play/")
    page.get_by_role("link", name="toy").click()
    page.wait_for_url(f"{url}/play/toy")
    page.get_by_role("button", name="we saw the good film").click()
    page.wait_for_selector(".shown")
    answer = toy("we saw the good film")
    assert page.locator(".answer").inner_text() == answer.label
    assert page.locator(".bars .given").inner_text().split() == [answer.label, f"{answer.scores[answer.label]:.3f}"]
    page.get_by_text("As JSON").click()
    assert page.get_by_label("the output as JSON").inner_text() == answer.json()
    assert "answered in" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Which words made it so?").click()
    page.wait_for_selector(".weights")
    found = toy.explain("we saw the good film")
    told = [mark.inner_text() for mark in page.locator(".words mark").all()]
    assert told == [piece.text for piece in found.pieces]
    against = page.locator(".words mark.against").all_inner_texts()
    assert against == [piece.text for piece in found.pieces if piece.weight < 0]


def test_a_page_is_worked_by_keys_alone(url: str, toy: Function, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{url}/play/toy")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("bad")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".shown")
    assert page.locator(".answer").inner_text() == toy("bad").label
    reached = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.innerText"))
    assert {"Run", "we saw the good film", "As JSON", "Which words made it so?", "Copy"} <= reached


def test_what_is_written_comes_piece_by_piece_or_whole_as_one_likes(
    url: str, write: Any, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{url}/play/write")
    run(page, "we saw the good film")
    assert page.locator(".written").inner_text().strip() == write("we saw the good film").text.strip()
    assert "the first piece after" in page.get_by_role("status").inner_text()
    page.get_by_label("as it is written").uncheck()
    run(page)
    page.get_by_text("As JSON").click()
    assert page.get_by_label("the output as JSON").inner_text() == write("we saw the good film").json()


def test_lines_to_copy_give_the_same_bytes_elsewhere(url: str, toy: Function, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{url}/play/toy")
    page.locator("textarea").first.fill(QUOTED)
    shell, program = (page.get_by_label(name, exact=True).inner_text() for name in ("for a shell", "in Python"))
    by_shell = subprocess.run(["sh", "-c", shell], capture_output=True, check=True, timeout=60).stdout
    assert by_shell == toy(QUOTED).json().encode()
    by_python = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    ).stdout
    assert by_python.strip() == str(json.loads(toy(QUOTED).json()))


def test_a_list_of_texts_is_filled_line_by_line(url: str, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{url}/play/many")
    asked: list[Any] = []
    page.on("request", lambda one: asked.append(one.post_data_json) if one.method == "POST" else None)
    rows = page.locator(".rows textarea")
    while rows.count():
        page.get_by_role("button", name="Remove").first.click()
    for place, text in enumerate(("a good film", "bad")):
        page.get_by_role("button", name="Add to").click()
        rows.nth(place).fill(text)
    run(page)
    assert page.locator(".problem").count() == 0
    assert ["a good film", "bad"] in asked[-1].values()


ROUND = """async ([signature, input]) => {
    const { Form } = await import("/play/assets/form.js");
    const form = new Form(signature, () => {});
    form.fill(input);
    return form.read();
}"""


def inputs_of(task: Any) -> list[Any]:
    """Return inputs of a task; none of one that gives them to a state of its own alone."""
    try:
        return list(task.golden_inputs(task.State()))
    except Exception:
        return []


def test_the_form_of_every_task_says_what_it_was_filled_with(url: str, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{url}/play/")
    seen = set()
    for entry in entries("tasks"):
        task = load("tasks", entry.qualified)()
        signature = {"input": task.Input.model_json_schema(), "shorthand": [*task.shorthand]}
        for value in inputs_of(task):
            seen.add(entry.name)
            said = page.evaluate(ROUND, [signature, value.model_dump(mode="json")])
            assert task.Input.model_validate(said) == value, f"{entry.name}: {said}"
    assert len(seen) > 20, seen


def test_places_are_taken_from_selected_words_and_counted_in_characters(
    said: Callable[..., Function], serve: Callable[..., Any], open_page: Callable[..., Any]
) -> None:
    from functory_relation.task import Relation
    from functory_relation.types import Related

    text = "🎬 Ann wrote Winter."
    label, words = "wrote(e1,e2)", {"subject": "Ann", "relation": "wrote", "object": "Winter"}
    answer = Related(label=label, score=0.9, scores={label: 0.9}, **words)
    with serve({"related": said(Relation(), {text: answer})}) as url:
        page = open_page(f"{url}/play/related")
        asked: list[Any] = []
        page.on("request", lambda one: asked.append(one.post_data_json) if one.method == "POST" else None)
        page.locator("textarea").first.fill(text)
        for place, word in enumerate(("Ann", "Winter")):
            start = text.index(word) + 1  # a script counts the film's sign twice
            select = "([start, end]) => document.querySelector('textarea').setSelectionRange(start, end)"
            page.evaluate(select, [start, start + len(word)])
            page.get_by_role("button", name="Take what is selected").nth(place).click()
            assert f"“{word}”" in page.locator(".taken").nth(place).inner_text()
        run(page)
        assert asked[-1] == {"text": text, "head": {"start": 2, "end": 5}, "tail": {"start": 12, "end": 18}}
        assert page.locator(".triple").inner_text().split() == ["Ann", "wrote", "Winter"]


def test_places_are_drawn_where_their_words_stand_on_any_width(url: str, open_page: Callable[..., Any]) -> None:
    """By characters, of which a script counts some twice; also when the width changes and lines break elsewhere."""
    page = open_page(f"{url}/play/facts")
    run(page, FACTS)
    for width in (1200, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        drawn = page.evaluate("""() => {
            const text = document.querySelector(".drawn span").firstChild, range = document.createRange();
            const washes = [...document.querySelectorAll(".wash")].map((one) => one.getBoundingClientRect());
            return ["Ann Lee", "Winter", "Rome", "李雷"].map((word) => {
                range.setStart(text, text.data.indexOf(word));
                range.setEnd(text, text.data.indexOf(word) + word.length);
                const near = (wash, box) => ["left", "right", "bottom"].every((side) => Math.abs(wash[side] - box[side]) < 4);
                return [...range.getClientRects()].every((box) => washes.some((wash) => near(wash, box)));
            });
        }""")
        assert drawn == [True] * 4
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.get_by_label("relations").locator("li").all_inner_texts() == [
        "Ann Lee author → Winter 0.800",
        "李雷 lives in → Rome 0.700",
    ]
    assert (
        page.locator(".arc").count() == 5
    )  # one line's arc with its head, and one that goes from line to line, in two legs


def test_markup_in_an_answer_is_shown_as_the_text_that_it_is(url: str, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{url}/play/hostile", may="TrustedHTML")
    run(page)
    assert page.locator(".answer").inner_text() == HOSTILE
    assert page.title() == "hostile · functory"
    assert page.locator("main img, main script").count() == 0
    assert (
        page.evaluate("try { document.body.innerHTML = '<b>x</b>'; 'written' } catch (error) { error.name }")
        == "TypeError"
    )


def test_what_is_wrong_is_told_in_the_servers_words(url: str, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{url}/play/nothing")
    alert = page.get_by_role("alert").inner_text()
    assert "there is no function of that name here." in alert
    assert "there are: toy" in alert


def test_a_token_lets_in_and_is_kept_nowhere(
    toy: Function, serve: Callable[..., Any], open_page: Callable[..., Any]
) -> None:
    from functory_serve.access import Token

    word = "a-word-that-nobody-knows"
    with serve({"toy": toy}, tokens=[Token(name="one", sha256=hashlib.sha256(word.encode()).hexdigest())]) as url:
        page = open_page(f"{url}/play/")
        page.get_by_label("Token").fill("another")
        page.get_by_role("button", name="Enter").click()
        page.wait_for_selector(".problem")
        page.get_by_label("Token").fill(word)
        page.get_by_role("button", name="Enter").click()
        page.get_by_role("link", name="toy").click()
        run(page, "a good film")
        assert page.locator(".answer").inner_text() == toy("a good film").label
        places = "{...localStorage}, {...sessionStorage}, document.cookie, location.href, document.body.innerText"
        assert word not in page.evaluate(f"JSON.stringify([{places}])")
        assert "$FUNCTORY_TOKEN" in page.get_by_label("for a shell").inner_text()
        shell = page.get_by_label("for a shell").inner_text()
        answered = subprocess.run(
            ["sh", "-c", shell], capture_output=True, check=True, timeout=60, env={**os.environ, "FUNCTORY_TOKEN": word}
        )
        assert answered.stdout == toy("a good film").json().encode()
        page.reload()
        assert page.get_by_label("Token").input_value() == ""


SHOW = """async ([output, input]) => {
    const { shown } = await import("/play/assets/showing.js");
    const titles = ["h1", "h2"].map((name) => Object.assign(document.createElement(name), { textContent: name }));
    document.querySelector("main").replaceChildren(...titles, shown(output, input));
    await new Promise((done) => setTimeout(done, 50));
    return document.querySelector(".shown").innerText.replaceAll(/[ \\t\\u00a0]+/g, " ");
}"""
FAULTS = """async () => {
    await Promise.allSettled(document.getAnimations().map((one) => one.finished));  // a colour on its way is none of the page's
    const { violations } = await axe.run(document);
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
}"""


def test_every_kind_of_output_is_shown_by_what_it_is(url: str, open_page: Callable[..., Any], axe: str) -> None:
    page = open_page(f"{url}/play/", init=axe)
    for kind, one in json.loads(OUTPUTS.read_text(encoding="utf-8")).items():
        told = page.evaluate(SHOW, [one["output"], one["input"]])
        assert [words for words in one["shown"] if words not in told] == [], f"{kind}: {told}"
        assert page.evaluate(FAULTS) == [], kind


@pytest.mark.parametrize(("wide", "scheme"), [(1200, "light"), (1200, "dark"), (400, "light"), (400, "dark")])
def test_axe_finds_no_violation_and_nothing_is_cut_off(
    url: str, open_page: Callable[..., Any], axe: str, wide: int, scheme: str
) -> None:
    def check(page: Any, what: str) -> None:
        assert page.evaluate(FAULTS) == [], what
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what

    index = open_page(f"{url}/play/", wide=wide, scheme=scheme, init=axe)
    check(index, "the functions")
    page = open_page(f"{url}/play/toy", wide=wide, scheme=scheme, init=axe)
    check(page, "before anything is asked")
    run(page, "a good film")
    page.get_by_text("As JSON").click()
    page.get_by_role("button", name="Which words made it so?").click()
    page.wait_for_selector(".weights")
    check(page, "an output and why")
    for name in ("facts", "write", "hostile", "many", "nothing"):
        other = open_page(f"{url}/play/{name}", wide=wide, scheme=scheme, init=axe)
        if name != "nothing":
            run(other, {"facts": FACTS, "hostile": HOSTILE}.get(name, "we saw"))
        check(other, name)

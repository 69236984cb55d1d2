"""Tags of every scheme name the stretches that they were made from."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functory_sdk import DataError, iob2, tag_fault, tag_runs, tag_scheme

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
Stretch = tuple[int, int, str]


@st.composite
def stretches(draw: st.DrawFn) -> tuple[int, list[Stretch]]:
    """Return how many tokens a row has, and its stretches."""
    found, place = [], 0
    for gap, size, label in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from("ab")))):
        found.append((place + gap, place + gap + size, label))
        place += gap + size
    return place + draw(st.integers(0, 2)), found


def written(count: int, found: list[Stretch], scheme: str) -> list[str]:
    """Return the tags by which a scheme says it, written out by its definition."""
    tags = ["O"] * count
    for n, (start, stop, label) in enumerate(found):
        beside = n > 0 and found[n - 1][1] == start and found[n - 1][2] == label
        first, inside, last, single = {
            "IOB2": "BIIB", "IOB1": "BIIB" if beside else "IIII", "IO": "IIII", "BIOES": "BIES", "BILOU": "BILU",
        }[scheme]  # fmt: skip
        letters = single if stop - start == 1 else first + inside * (stop - start - 2) + last
        tags[start:stop] = [f"{letter}-{label}" for letter in letters]
    return tags


def joined(found: list[Stretch]) -> list[Stretch]:
    """Return stretches as IO can say them: neighbours of one label are one."""
    made: list[Stretch] = []
    for start, stop, label in found:
        if made and made[-1][1:] == (start, label):
            start = made.pop()[0]
        made.append((start, stop, label))
    return made


@unhurried
@given(stretches(), st.sampled_from(["IOB2", "IOB1", "BIOES", "BILOU", "IO", "bare"]))
def test_tags_of_each_scheme_name_what_they_were_made_from(made: tuple[int, list[Stretch]], scheme: str) -> None:
    count, found = made
    tags = written(count, found, "IO" if scheme == "bare" else scheme)
    if scheme == "bare":
        tags = [tag.replace("I-", "kind_") for tag in tags]
        found = [(start, stop, f"kind_{label}") for start, stop, label in found]
    expected = joined(found) if scheme in ("IO", "bare") else found
    assert list(tag_runs(tags)) == expected
    again = iob2(tags)
    assert list(tag_runs(again)) == expected
    assert iob2(again) == again
    assert tag_fault(again) is None
    if scheme in ("IOB2", "BIOES", "BILOU"):
        assert tag_fault(tags) is None
    has_neighbours = any(one[1:] == (other[0], other[2]) for one, other in pairwise(made[1]))
    told = "IO" if scheme == "bare" or (scheme == "IOB1" and not has_neighbours) else scheme
    assert tag_scheme([tags]) == (told if found else "IOB2")


def test_the_scheme_of_rows_is_told() -> None:
    assert tag_scheme([["B-a", "I-a", "O"], ["O"]]) == "IOB2"
    assert tag_scheme([["O", "I-a", "I-a"], ["I-a", "B-a"]]) == "IOB1"
    assert tag_scheme([["O", "I-a", "I-b"]]) == "IO"
    assert tag_scheme([["O", "PER", "LOC"]]) == "IO"
    assert tag_scheme([["B-a", "E-a"], ["S-b"]]) == "BIOES"
    assert tag_scheme([["B-a", "L-a"], ["U-b"]]) == "BILOU"
    assert tag_scheme([["O", "B-a"], ["I-a"]]) == "IOB2"  # and the I- begins an entity that lacks its B-


@pytest.mark.parametrize(
    ("tags", "place"),
    [
        (["O", "I-a"], 1), (["B-a", "I-b"], 1), (["B-a", "I-a", "O", "I-a"], 3),
        (["S-a", "E-a"], 1), (["B-a", "O", "S-b"], 1), (["S-b", "B-a"], 1), (["S-b", "I-a", "E-a"], 1),
    ],
)  # fmt: skip
def test_a_tag_that_does_not_fit_is_found(tags: list[str], place: int) -> None:
    assert tag_fault(tags) == place


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        (["O", "X-a"], "tag 2 is 'X-a', which no scheme knows"),
        (["B"], "tag 1 is 'B', which no scheme knows"),
        (["B-"], "tag 1 is 'B-', which no scheme knows"),
        ([""], "tag 1 is '', which no scheme knows"),
        (["B-PER", "O", "PER"], "tag 3 is 'PER', without the letter that 'B-PER' has"),
    ],
)
def test_what_is_no_tag_is_refused_with_its_place(tags: list[str], told: str) -> None:
    with pytest.raises(DataError, match=told):
        list(tag_runs(tags))


def test_white_space_around_a_tag_and_its_label_says_nothing() -> None:
    assert list(tag_runs(["B-a ", " I- a", "\tO", "B-b"])) == [(0, 2, "a"), (3, 4, "b")]
    assert iob2(["person-actor ", "person-actor", "O"]) == ("B-person-actor", "I-person-actor", "O")

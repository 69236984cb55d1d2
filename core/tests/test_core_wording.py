"""Others' words: what in them steers, turns or hides is replaced, every script stays, and no error breaks its telling."""

from __future__ import annotations

import json
from pathlib import Path
from unicodedata import category

import pytest

from functory import errors
from functory.cli.output import print_columns, print_paragraphs
from functory.wording.harmless import REPLACED, harmless, harmless_html, harmless_json
from functory.wording.told import LONGEST, message_of, told

READABLE = [
    "plain text, with\ttabs\nand lines", "naïve café €", "φ → … × ─ ✓", "新鲜的 日本語 한국어", "العربية مكتوبة من اليمين",
    "עברית", "می‌خواهم", "हिन्दी क्‍ष", "👩‍👩‍👧 ❤️‍🔥 👋🏽 🇩🇪", "葛󠄀", "combining é ẹ̀",
    "PDF\u200cها، 5\u200cساله", "خانه\u200c ها", "അവന്\u200d വന്നു, അവന്\u200d.", "হঠাত্\u200d", "शब्द् क्\u200d",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f Scotland",
]  # fmt: skip


@pytest.mark.parametrize("text", READABLE)
def test_every_script_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == harmless_json(text) == text


def test_every_control_and_direction_and_whatever_hides_is_replaced() -> None:
    for code in (*range(0x20000), *range(0xE0000, 0xE0200)):
        one = chr(code)
        kind = category(one)
        steers = kind in ("Cc", "Cs", "Zl", "Zp") and one not in "\t\n"
        hides = kind == "Cf" and not (0x600 <= code <= 0x605 or code in VISIBLE or 0x13430 <= code <= 0x1343F)
        if steers or hides:
            assert harmless(f"a{one}b") == f"a{REPLACED}b", hex(code)
            assert json.loads(f'"{harmless_json(one)}"') == one
            assert harmless_json(one).isascii()
        elif code in BLANK:
            assert harmless(f"a{one}b") == f"a{REPLACED}b", hex(code)
        elif kind not in ("Mn", "Cn"):
            assert harmless(f"a{one}b") == f"a{one}b", hex(code)


VISIBLE = {0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
"""Format characters that are seen: they begin numbers and verses."""
BLANK = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0}
"""Letters and marks that are not seen."""


def test_escapes_lose_what_makes_them_so() -> None:
    for hostile in ("\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x1bP1$r\x1b\\", "a\rb", "\b\b", "\x7f", "a\u2028b", "\ufeff"):
        assert not any(category(one) in ("Cc", "Cf", "Zl") for one in harmless(hostile))
    assert harmless("one\r\ntwo") == "one\ntwo"
    assert harmless("evil\u202egpj.exe") == f"evil{REPLACED}gpj.exe"
    assert harmless("pay\u200bpal x\u200dy \u200c") == f"pay{REPLACED}pal x{REPLACED}y {REPLACED}"
    for tags in ("\U0001f3f4\U000e0041\U000e0042\U000e007f", "a\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0067"):
        assert harmless(tags) == tags[0] + REPLACED * (len(tags) - 1), "a hidden text, and no flag"
    assert harmless_html("<b>\u202e") == f"&lt;b&gt;{REPLACED}"


def test_an_error_of_ours_is_told_harmlessly_and_whatever_it_was_given() -> None:
    error = errors.UsageError("the name '\x1b[2J' is \u202eodd", where="\ud800/folder", do="mend \x9b it")
    assert str(error) == f"the name '{REPLACED}[2J' is {REPLACED}odd\n  where: {REPLACED}/folder\n  do:    mend {REPLACED} it"
    assert error.as_json()["what"] == "the name '\x1b[2J' is \u202eodd", "a program gets what was said"
    refused = errors.Refused(7, where=Path("a"))  # type: ignore[arg-type]
    assert (str(refused), refused.what, refused.where) == ("7\n  where: a", "7", "a")

    class Bare(errors.Refused):
        def __init__(self) -> None: ...

    assert (str(Bare()), Bare().located("here").where) == ("", "here")
    rows = [{"where": "a.csv, line 2", "what": "\x1b[1mbad"}] * 2
    assert "\x1b" not in str(errors.BadRows("two bad rows", rows=rows, count=2))


def test_a_message_that_cannot_be_read_or_is_huge_is_told() -> None:
    class Worst(Exception):
        def __str__(self) -> str:
            raise SystemExit(1)

    class Late(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    assert told(Worst()) == "Worst: (what it says cannot be read: SystemExit)"
    assert told(ValueError()) == "ValueError"
    assert message_of(ValueError("a\n  b")) == "a b"
    assert len(message_of(ValueError("word " * 1_000_000))) <= LONGEST
    with pytest.raises(KeyboardInterrupt):
        told(Late())


def test_a_name_with_an_end_of_line_makes_no_line_of_an_error_and_no_row_of_a_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = errors.UsageError("it is not there.", where="a\n  do:    run evil", do="look again.")
    assert str(error).splitlines() == ["it is not there.", f"  where: a{REPLACED}  do:    run evil", "  do:    look again."]
    print_columns([("a\n  evil", "b\nc\td")])
    print_paragraphs([("a\n  evil", "b\nc\td")])
    assert capsys.readouterr().out == "  a   evil  b c d\n" * 2

"""Tells an error that somebody else raised: its message may raise, be no text, be huge or steer a terminal."""

from __future__ import annotations

from functory.wording.harmless import harmless

LONGEST = 400
"""Characters of a message that are told."""
READ = 20_000
"""Characters of a message that are looked at."""


def told(error: BaseException) -> str:
    """Return an error in one line: ``ValueError: the message``, or its name alone where it has none."""
    words = message_of(error)
    return f"{kind(error)}: {words}" if words else kind(error)


def kind(value: object) -> str:
    """Return the name of the class of an error, or of whatever it is."""
    return harmless(type.__dict__["__name__"].__get__(type(value)))


def message_of(error: BaseException, longest: int = LONGEST) -> str:
    """Return an error's message in one line that harms nobody; what cannot be read is said.

    :param longest: the characters that are kept.
    :raises KeyboardInterrupt: when Ctrl-C comes meanwhile.
    """
    return cut(safe_text(error), longest)


def safe_text(value: object) -> str:
    """Return ``str(value)``, of whatever it is; where that fails, how.

    :raises KeyboardInterrupt: when Ctrl-C comes meanwhile.
    """
    try:
        # of a text's own class: a stranger's may have methods that raise
        return str.__getitem__(str(value), slice(0, READ))
    except KeyboardInterrupt:
        raise
    except BaseException as fault:
        return f"(what it says cannot be read: {kind(fault)})"


def cut(text: str, longest: int = LONGEST) -> str:
    """Return text as one harmless line of so many characters at most."""
    line = harmless(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"

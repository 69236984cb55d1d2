"""How Linux is asked: a call raises OSError with its own name where the kernel says no."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

CALLS: dict[str, tuple[int, int]] = {
    "pivot_root": (155, 41), "capset": (126, 91), "mount_setattr": (442, 442),
}  # fmt: skip
"""Numbers, of x86_64 and aarch64, of calls that libc does not name everywhere."""
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Of each kind of processor the place in a pair of numbers, and what the kernel calls it (AUDIT_ARCH)."""
NAMESPACES = {
    "mount": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000,
    "user": 0x10000000, "pid": 0x20000000, "network": 0x40000000,
}  # fmt: skip
READ_ONLY, NOSUID, NODEV, NOEXEC, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 1 << 12, 1 << 14, 1 << 18
DETACH, NO_NEW_PRIVILEGES, DEATH_SIGNAL, SET_FILTER, FILTER_MODE = 2, 38, 1, 22, 2
BELOW, HERE = 0x8000, -100
"""``AT_RECURSIVE`` and ``AT_FDCWD``."""

libc = ctypes.CDLL(None, use_errno=True)


def machine() -> int:
    """Return the place of this processor's numbers in a pair."""
    return MACHINES[platform.machine()][0]


def ask(name: str, *arguments: int | bytes | ctypes.Structure | None) -> int:
    """Call a function of libc's, or, where it has none of the name, the kernel by number; all numbers are as wide as a register.

    :raises OSError: with the name of the call.
    """
    wide = [_wide(one) for one in arguments]
    numbers = CALLS.get(name)
    answer = libc.syscall(ctypes.c_long(numbers[machine()]), *wide) if numbers else getattr(libc, name)(*wide)
    if answer == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return int(answer)


def _wide(argument: Any) -> Any:  # Any: what ctypes takes
    if isinstance(argument, ctypes.Structure):
        return ctypes.byref(argument)
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """:raises OSError: where the kernel refuses."""
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    try:
        ask("mount", texts[0], texts[1], texts[2], flags, texts[3])
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"mount of {target}") from None


class Attributes(ctypes.Structure):
    """What ``mount_setattr`` sets and clears."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "namespace")]


def seal(target: str) -> None:
    """Let nothing be written below a place, and no file there be a device or lend rights, whatever is mounted below it.

    :raises OSError: where the kernel is older than 5.12.
    """
    wanted = Attributes(READ_ONLY | NOSUID | NODEV)
    ask("mount_setattr", HERE, os.fsencode(target), BELOW, wanted, ctypes.sizeof(wanted))


class Instruction(ctypes.Structure):
    """One instruction of a filter (struct sock_filter)."""

    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32)]


class Program(ctypes.Structure):
    """A filter (struct sock_fprog)."""

    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.c_void_p)]


def keep_to(instructions: list[tuple[int, int, int, int]]) -> None:
    """Let a filter decide on every call of this process from now on, and on those of all that come of it.

    :raises OSError: where the kernel has no such filters.
    """
    lines = (Instruction * len(instructions))(*(Instruction(*one) for one in instructions))
    program = Program(len(instructions), ctypes.cast(lines, ctypes.c_void_p))
    ask("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    ask("prctl", SET_FILTER, FILTER_MODE, program, 0, 0)


class Header(ctypes.Structure):
    """Whose capabilities are set (struct __user_cap_header_struct)."""

    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class Capabilities(ctypes.Structure):
    """None at all, when made without arguments."""

    _fields_ = [("words", ctypes.c_uint32 * 6)]


def give_up_capabilities() -> None:
    """:raises OSError: never, as far as is known."""
    ask("capset", Header(0x20080522, 0), Capabilities())

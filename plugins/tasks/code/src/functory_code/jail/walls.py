"""What stands around code before its first line: a root of its own, nobody's rights, limits, and a filter of calls."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from . import kernel
from .filtering import instructions

NOBODY = 65534
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
"""Where shared libraries lie that modules of the standard library need."""
OTHERS = ("site-packages", "dist-packages")
"""Folders of packages beside the standard library, which are left empty."""
COVERED, OLD = "/tmp", "/old"
SCRATCH_MB, FILES, THREADS = 16, 64, 32


def apart() -> None:
    """Leave every namespace of this system, as a user with no rights in it. Who is root there keeps root for building, and a user
    without any for the code.

    :raises OSError: where the system does not let this user.
    """
    is_root, user, group = os.geteuid() == 0, os.geteuid(), os.getegid()
    waiting, told = os.pipe()
    mapper = os.fork() if is_root else 0
    if is_root and not mapper:
        os._exit(_mapped(os.getppid(), waiting, told))
    os.close(waiting)
    flags = 0
    for flag in kernel.NAMESPACES.values():
        flags |= flag
    kernel.ask("unshare", flags)
    os.close(told)  # what the mapper waits for
    if is_root:
        if os.waitpid(mapper, 0)[1]:
            raise OSError(1, "users other than root cannot be mapped", "uid_map")
        return
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {user} 1"), ("gid_map", f"{NOBODY} {group} 1")):
        Path("/proc/self", name).write_text(text)


def _mapped(pid: int, waiting: int, told: int) -> int:
    """Give a process that has left root's namespace root and nobody in its own; from outside, as only that may."""
    os.close(told)
    os.read(waiting, 1)
    try:
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}", name).write_text(f"0 0 1\n{NOBODY} {NOBODY} 1\n")
    except OSError:
        return 1
    return 0


def rooted() -> None:
    """Take an empty root in which the standard library and the system's shared libraries can be read, and a small folder written.

    :raises OSError: where a mount is refused.
    """
    libraries = [str(Path(place).resolve()) for place in sys.path if Path(place).is_dir()]
    links = {place: Path(place).readlink() for place in LIBRARIES if Path(place).is_symlink()}
    shown = [*libraries, *(place for place in LIBRARIES if Path(place).is_dir() and place not in links)]
    kernel.mount(None, "/", None, kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("code", COVERED, "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=755,size=1m")
    os.chdir(COVERED)
    Path(OLD[1:]).mkdir()
    kernel.ask("pivot_root", b".", os.fsencode(OLD[1:]))
    os.chdir("/")
    for place in _outermost(shown):
        Path(place).mkdir(parents=True)
        kernel.mount(OLD + place, place, None, kernel.BIND | kernel.RECURSIVE)
    for place in {f"{library}/{name}" for library in (*libraries, "/usr/lib/python3") for name in OTHERS}:
        _emptied(place)
    for place, goal in links.items():
        Path(place).symlink_to(goal)
    kernel.ask("umount2", os.fsencode(OLD), kernel.DETACH)
    Path(OLD).rmdir()
    Path(COVERED).mkdir()
    kernel.seal("/")
    flags = kernel.NOSUID | kernel.NODEV | kernel.NOEXEC
    kernel.mount("code", COVERED, "tmpfs", flags, f"mode=1777,size={SCRATCH_MB}m,nr_inodes=1000")
    os.chdir(COVERED)
    kernel.ask("sethostname", b"code", 4)
    sys.path[:] = libraries


def _outermost(places: list[str]) -> list[str]:
    """Return places without those that lie in others."""
    kept: list[str] = []
    for place in sorted(set(places)):
        if not any(place.startswith(f"{one}/") for one in kept):
            kept.append(place)
    return kept


def _emptied(place: str) -> None:
    if Path(place).is_dir():
        kernel.mount("none", place, "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=755,size=4k")


def limited(seconds: float, memory_mb: int) -> None:
    """Bound what this process may use: seconds of processor time, memory, files, threads."""
    memory, most = memory_mb << 20, max(1, round(seconds))
    bounds = {
        resource.RLIMIT_CPU: most, resource.RLIMIT_AS: memory, resource.RLIMIT_FSIZE: SCRATCH_MB << 20,
        resource.RLIMIT_NOFILE: FILES, resource.RLIMIT_NPROC: THREADS, resource.RLIMIT_CORE: 0,
    }  # fmt: skip
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (bound, bound))


def powerless() -> None:
    """Become a user that owns nothing, without a capability.

    :raises OSError: where that user is not there.
    """
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    kernel.give_up_capabilities()


def filtered() -> None:
    """Leave this process the calls that compute, and no others.

    :raises OSError: where the kernel has no filters.
    """
    kernel.keep_to(instructions())

"""The calls of the kernel that are left to code: what an interpreter needs to compute, and no more.

All others are refused by EPERM: no process, no program, no socket, no signal to another, no tracing, no mounting, no keys. Calls
that are newer than this list are answered by ENOSYS, as libc then asks older ones.
"""

from __future__ import annotations

import errno
import platform

from .kernel import MACHINES, machine

Numbers = dict[str, tuple[int | None, int | None]]
Instructions = list[tuple[int, int, int, int]]

ALLOWED: Numbers = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "lseek": (8, 62), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "pwrite64": (18, 68), "pipe": (22, None), "pipe2": (293, 59), "dup": (32, 23), "dup2": (33, None),
    "dup3": (292, 24), "fcntl": (72, 25), "flock": (73, 32), "sendfile": (40, 71), "copy_file_range": (326, 285),
    "open": (2, None), "openat": (257, 56), "stat": (4, None), "lstat": (6, None), "fstat": (5, 80), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49), "umask": (95, 166),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, None), "mkdirat": (258, 34),
    "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35), "chmod": (90, None), "fchmod": (91, 52),
    "fchmodat": (268, 53), "utimensat": (280, 88), "truncate": (76, 45), "ftruncate": (77, 46), "fsync": (74, 82),
    "fdatasync": (75, 83),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216), "madvise": (28, 233),
    "select": (23, None), "pselect6": (270, 72), "poll": (7, None), "ppoll": (271, 73), "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22), "eventfd2": (290, 19), "sendto": (44, 206),
    "recvfrom": (45, 207), "shutdown": (48, 210),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "sigaltstack": (131, 132), "restart_syscall": (219, 128), "getitimer": (36, 102),
    "setitimer": (38, 103), "alarm": (37, None), "pause": (34, None),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getpgrp": (111, None), "getpgid": (121, 155), "getsid": (124, 156),
    "getresuid": (118, 148), "getresgid": (120, 150), "getgroups": (115, 158),
    "getrlimit": (97, 163), "getrusage": (98, 165), "sysinfo": (99, 179), "uname": (63, 160), "getrandom": (318, 278),
    "arch_prctl": (158, None), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "futex": (202, 98), "set_robust_list": (273, 99), "get_robust_list": (274, 100), "set_tid_address": (218, 96),
    "rseq": (334, 293), "membarrier": (324, 283), "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
"""Numbers on x86_64 and on aarch64, which has only the newer ones of some pairs."""
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24
"""Offsets in what a filter reads (struct seccomp_data); of arguments the lower half."""
WITHIN: dict[str, tuple[tuple[int, int], int, tuple[int, ...]]] = {
    "kill": ((62, 129), FIRST, (1,)), "tgkill": ((234, 131), FIRST, (1,)), "prlimit64": ((302, 261), FIRST, (0,)),
    "socketpair": ((53, 199), FIRST, (1,)), "ioctl": ((16, 29), SECOND, (0x5421, 0x5450, 0x5451)),
}  # fmt: skip
"""Calls that are allowed where one argument is among these: signals to the code's own process, the first of its namespace; its
own limits; pairs of sockets within it (AF_UNIX); whether a read waits, and whether a file is left to other programs.
"""
CLONE, THREAD = (56, 220), 0x00010000
"""Allowed for a thread; another process is none."""
NEWER = 435
"""``clone3``, whose arguments no filter sees, and all after it but the one named above."""
LOAD, MASK, RETURN = 0x20, 0x54, 0x06
EQUAL, AT_LEAST = 0x15, 0x35
PASS, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000


def instructions() -> Instructions:
    """Return the filter for this processor, in the kernel's classic BPF."""
    place, architecture = machine(), MACHINES[platform.machine()][1]
    lines: Instructions = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    for numbers in ALLOWED.values():
        number = numbers[place]
        if number is not None:
            lines += [(EQUAL, 0, 1, number), (RETURN, 0, 0, PASS)]
    for pair, argument, values in WITHIN.values():
        lines += _where(pair[place], [(LOAD, 0, 0, argument)], values)
    lines += _where(CLONE[place], [(LOAD, 0, 0, FIRST), (MASK, 0, 0, THREAD)], (THREAD,))
    return [*lines, (AT_LEAST, 0, 1, NEWER), (RETURN, 0, 0, FAIL | errno.ENOSYS), (RETURN, 0, 0, FAIL | errno.EPERM)]


def _where(number: int, made: Instructions, values: tuple[int, ...]) -> Instructions:
    """Return what allows a call where that which is made of its arguments is among some values."""
    inner = list(made)
    for value in values:
        inner += [(EQUAL, 0, 1, value), (RETURN, 0, 0, PASS)]
    inner.append((RETURN, 0, 0, FAIL | errno.EPERM))
    return [(EQUAL, 0, len(inner), number), *inner]

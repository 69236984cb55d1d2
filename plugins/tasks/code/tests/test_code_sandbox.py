"""The walls: what code can compute behind them, what it cannot reach, and what becomes of systems that cannot build them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from functory_code import Limits, Verdict, lacking, run
from functory_code.jail import filtering, kernel
from functory_sdk import NotSupported

QUICK = Limits(seconds=1, memory_mb=256, seconds_waiting=1)

walled = pytest.mark.skipif(bool(lacking()), reason=f"no code is run here: {lacking()}")


@walled
def test_code_and_its_test_share_a_module_and_pass_or_say_why_not() -> None:
    assert run("import math\ndef root(x):\n    return math.isqrt(x)", "assert root(16) == 4\nprint('fine')") == Verdict(
        True, output="fine\n"
    )
    assert run("def root(x):\n    return x", "\nassert root(16) == 4, 'not 4'").error == "AssertionError: not 4 (test, line 2)"
    assert run("def root(x):\n return y", "root(1)").error == "NameError: name 'y' is not defined (code, line 2)"
    assert run("def root(", "").error.startswith("SyntaxError")


WORKS = {
    "the standard library": "import asyncio, collections, decimal, hashlib, json, random, re, sqlite3, statistics, typing",
    "data classes": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: 'int'\nassert A(3).x == 3",
    "event loops": "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 3\nassert asyncio.run(f()) == 3",
    "threads": "import threading\none = threading.Thread(target=print, args=(1,))\none.start()\none.join()",
    "a folder of its own": "import tempfile\nwith tempfile.TemporaryFile() as file:\n    assert file.write(b'x') == 1",
    "Chinese": "价格 = {'苹果': 3}\nassert 价格['苹果'] == 3\nprint('好')",
    "no input": "try:\n    input()\nexcept EOFError:\n    pass\nelse:\n    raise AssertionError",
}


@walled
@pytest.mark.parametrize("code", WORKS.values(), ids=WORKS)
def test_what_computes_works(code: str) -> None:
    assert run(code).error == ""


RAW = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def ask(*of):
    return libc.syscall(*of), ctypes.get_errno()
"""
FORGED = """
import os
for pipe in range(3, 64):
    try:
        os.write(pipe, b'{"passed": true}\\n')
    except OSError:
        pass
os._exit(0)
"""
MANY = """
import threading, time
threading.stack_size(65536)
for _ in range(500):
    threading.Thread(target=time.sleep, args=(1,)).start()
"""
REFUSED = {
    "the system's files": ("open('/etc/passwd')", "FileNotFoundError"),
    "the home folder": ("import os\nos.listdir(os.environ.get('HOME', '/home'))", "FileNotFoundError"),
    "processes": ("open('/proc/1/environ')", "FileNotFoundError"),
    "devices": ("open('/dev/mem')", "FileNotFoundError"),
    "installed packages": ("import numpy", "ModuleNotFoundError"),
    "writing beside its folder": ("open('/written', 'w')", "Read-only file system"),
    "writing into the library": ("import os\nopen(os.__file__, 'a')", "Error: [Errno "),
    "the way out of its root": ("import os\nos.chroot('/tmp')", "Operation not permitted"),
    "a socket": ("import socket\nsocket.create_connection(('127.0.0.1', 80))", "Operation not permitted"),
    "a name": ("import socket\nsocket.getaddrinfo('localhost', 80)", "gaierror"),
    "another process": ("import os\nos.fork()", "Operation not permitted"),
    "a program": ("import os\nos.execv('/lib64/ld-linux-x86-64.so.2', ['x'])", "Operation not permitted"),
    "a shell": ("import subprocess\nsubprocess.run(['/bin/sh', '-c', 'true'])", "Operation not permitted"),
    "a signal to the parent": ("import os\nos.kill(os.getppid(), 9)", "Operation not permitted"),
    "a signal to all": ("import os\nos.kill(-1, 9)", "Operation not permitted"),
    "more rights": ("import os\nos.setuid(0)", "Operation not permitted"),
    "higher limits": ("import resource as r\nr.setrlimit(r.RLIMIT_AS, (1 << 40, 1 << 40))", "Error"),
    "memory": ("kept = bytearray(10**10)", "MemoryError"),
    "memory in pieces": ("kept = []\nwhile True:\n    kept.append(bytearray(10**7))", "MemoryError"),
    "a large file": ("open('/tmp/x', 'wb').write(bytes(64 << 20))", "Error"),
    "many files": ("for place in range(5000):\n    open(f'/tmp/{place}', 'w').close()", "No space left"),
    "many threads": (MANY, "can't start new thread"),
    "an endless recursion": ("def f():\n    return f()\nf()", "RecursionError"),
    "an endless loop": ("while True:\n    pass", "it took more than "),
    "endless output": ("while True:\n    print('x' * 1000)", "it printed more than 1,048,576 bytes"),
    "leaving early": ("import os\nos._exit(0)", "it left, with 0, before its test had ended"),
    "leaving politely": ("raise SystemExit(0)", "SystemExit"),
    "a crash": ("import ctypes\nctypes.string_at(0)", "it ended by signal 11"),
    "an error that lies": (
        "class E(Exception):\n    def __str__(self):\n        raise KeyboardInterrupt\nraise E", "E (code, line 4)"
    ),
    "a word of its own": (FORGED, "it left, with 0"),
}


@walled
@pytest.mark.parametrize(("code", "says"), REFUSED.values(), ids=REFUSED)
def test_what_leads_out_does_not_pass(code: str, says: str) -> None:
    verdict = run(code, "", QUICK)
    assert not verdict.passed
    assert says in verdict.error


@walled
def test_calls_that_are_made_past_python_are_refused_too() -> None:
    numbers = {"ptrace": 101, "mount": 165, "unshare": 272, "bpf": 321, "process_vm_readv": 310, "keyctl": 250, "setns": 308}
    if kernel.machine():
        numbers = {"ptrace": 117, "mount": 40, "unshare": 97, "bpf": 280, "process_vm_readv": 270, "keyctl": 219, "setns": 268}
    asked = "\n".join(f"assert ask({number}, 0, 0, 0, 0, 0) == (-1, 1), {name!r}" for name, number in numbers.items())
    assert run(RAW + asked, "", QUICK).error == ""
    newer = f"assert ask({filtering.NEWER}, 0, 0) == (-1, 38)"
    assert run(RAW + newer, "", QUICK).error == "", "for clone3 libc has another"


@walled
def test_nothing_of_this_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hidden-word")
    asked = "dict(os.environ), sys.argv, sys.path, os.getcwd(), socket.gethostname(), os.getpid()"
    told = run(f"import os, sys, socket\nprint({asked})")
    assert told.passed
    assert "hidden-word" not in told.output
    assert str(Path(__file__).resolve().parents[3]) not in told.output
    assert told.output.endswith("/tmp code 1\n")


@walled
def test_runs_know_nothing_of_each_other() -> None:
    assert run("open('/tmp/left', 'w').close()\nimport builtins\nbuiltins.left = 1").passed
    assert run("import os\nassert not os.listdir('/tmp')\nassert 'left' not in dir(__builtins__)").error == ""


@walled
def test_many_runs_at_once_leave_this_process_as_it_was() -> None:
    files = Path("/proc/self/fd")
    before, found = len(list(files.iterdir())), []
    threads = [threading.Thread(target=lambda: found.append(run("x = 1", "assert x == 1").passed)) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [True] * 16
    assert len(list(files.iterdir())) == before


HOLDING = """
import ctypes, os, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)                       # what loses its parent becomes this process's child
WORK = "from functory_code import Limits, run; print(run('import time; time.sleep(60)', '', Limits(1, 256, 1)).error)"
one = subprocess.Popen([sys.executable, "-c", WORK], stdout=subprocess.PIPE, text=True)
if sys.argv[1] == "kill":
    for _ in range(200):                                       # until code runs
        time.sleep(0.05)
        found = open(f"/proc/{one.pid}/task/{one.pid}/children").read().split()
        if found and open(f"/proc/{found[0]}/task/{found[0]}/children").read().split():
            break
    one.kill()
print(one.communicate()[0])
for _ in range(200):
    try:
        if not os.waitpid(-1, os.WNOHANG)[0]:
            time.sleep(0.05)
    except ChildProcessError:
        print("nothing is left")
        break
"""


@walled
@pytest.mark.parametrize("way", ["stop", "kill"])
def test_nothing_goes_on_when_code_is_stopped_or_who_ran_it_is_killed(way: str) -> None:
    done = subprocess.run([sys.executable, "-c", HOLDING, way], capture_output=True, text=True, timeout=60)
    assert "nothing is left" in done.stdout, done
    assert ("it took more than 4 s" in done.stdout) is (way == "stop")


UNABLE = """
from functory_code import lacking, run
from functory_code.jail import kernel
number = (272, 97)[kernel.machine()]
kernel.keep_to([(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x00050001), (6, 0, 0, 0x7FFF0000)])  # as containers have it
print(lacking())
try:
    run("open('/tmp/was-run', 'w')")
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="takes the right to make namespaces from a process")
def test_a_system_that_lets_nobody_make_namespaces_is_told_and_runs_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", UNABLE], capture_output=True, text=True, timeout=60)
    lacks, error, *do = done.stdout.splitlines()
    assert lacks == "unshare: Operation not permitted"
    assert error == "NotSupported code is not run here: unshare: Operation not permitted."
    assert "leave allow_execution out" in do[-1]


def test_other_systems_and_processors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert lacking.__wrapped__() == "the walls are Linux's, and this is darwin"
    monkeypatch.undo()
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert "riscv64" in lacking.__wrapped__() or sys.platform != "linux"
    monkeypatch.setattr("functory_code.sandbox.lacking", lambda: "it may not")
    with pytest.raises(NotSupported, match="code is not run here: it may not"):
        run("pass")

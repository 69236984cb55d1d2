"""What `scripts/bootstrap.py` decides. That it installs is shown by the environment these tests run in."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Give the script, working on a tree of its own, with every command recorded instead of run."""
    for name in ("pyproject.toml", "constraints.txt", "core/pyproject.toml", "sdk/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(str(tmp_path / "scripts"))
    for name in ("workspace", "origins"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", tmp_path / "scripts/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(module, "really_run", module.run, raising=False)
    monkeypatch.setattr(module, "run", lambda *command: ran.append(command))
    monkeypatch.setattr(module, "note", lambda venv, report: None)
    monkeypatch.setattr(module, "refuse_cuda_torch", lambda: None)
    monkeypatch.setattr(
        module, "remove_all_but", lambda wanted: ran.append(("remove all but", *sorted(wanted)))
    )
    monkeypatch.setattr(module, "ran", ran, raising=False)
    module.PYTHON.parent.mkdir(parents=True)
    module.PYTHON.touch()
    yield module
    for name in ("workspace", "origins"):
        sys.modules.pop(name, None)


def installs(module: ModuleType) -> list[str]:
    """Return the folders that were installed, and forget what ran."""
    folders = [Path(part).name for command in module.ran for flag, part in pairwise(command) if flag == "-e"]
    module.ran.clear()
    return folders


def test_a_command_that_takes_long_is_not_waited_for_in_silence(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "QUIET_SECONDS", 0.05)
    bootstrap.really_run(sys.executable, "-c", "import time; time.sleep(0.2); print('done')")
    out, err = capfd.readouterr()
    assert out == "done\n"
    assert "setup: still at it: 0 s, .venv holds" in err
    with pytest.raises(SystemExit, match=r"failed \(3\): .*exit\(3\)"):
        bootstrap.really_run(sys.executable, "-c", "exit(3)")


def test_first_run_installs_everything_and_the_second_nothing(bootstrap: ModuleType) -> None:
    bootstrap.main()
    assert installs(bootstrap) == ["core", "sdk[template,testing]"]
    bootstrap.main()
    assert bootstrap.ran == []


def test_only_the_distribution_that_changed_is_installed_again(bootstrap: ModuleType) -> None:
    bootstrap.main()
    installs(bootstrap)
    with (bootstrap.ROOT / "core/pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    bootstrap.main()
    assert installs(bootstrap) == ["core"]


@pytest.mark.parametrize(
    ("name", "old", "new"), [("constraints.txt", "numpy==", "numpy>="), ("pyproject.toml", '"mypy", ', "")]
)
def test_what_binds_everything_installs_everything_again(
    bootstrap: ModuleType, name: str, old: str, new: str
) -> None:
    bootstrap.main()
    installs(bootstrap)
    file = bootstrap.ROOT / name
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    bootstrap.main()
    assert len(installs(bootstrap)) == 2


def test_a_setting_of_a_tool_installs_nothing(bootstrap: ModuleType) -> None:
    bootstrap.main()
    installs(bootstrap)
    with (bootstrap.ROOT / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("[tool.other]\nsetting = 1\n")
    bootstrap.main()
    assert bootstrap.ran == []


def test_new_plugin_is_installed_and_a_removed_one_goes(bootstrap: ModuleType) -> None:
    bootstrap.main()
    installs(bootstrap)
    folder = bootstrap.ROOT / "plugins/tasks/new"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "functory-new"\n[tool.functory]\nweights = ["some-weights"]\n', encoding="utf-8"
    )
    bootstrap.main()
    assert any(command[-1] == "some-weights" and "--no-deps" in command for command in bootstrap.ran)
    assert installs(bootstrap) == ["new"]
    shutil.rmtree(folder)
    bootstrap.main()
    assert bootstrap.ran == [("remove all but", "functory", "functory-sdk")]


def test_an_interrupted_run_leaves_no_stamp(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.main()
    (bootstrap.ROOT / "constraints.txt").write_text("", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "install", interrupt)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.main()
    assert not bootstrap.STAMP.exists()
    bootstrap.ran.clear()
    bootstrap.main()
    assert "--clear" in bootstrap.ran[0]
    assert len(installs(bootstrap)) == 2


def test_a_refusal_of_pip_keeps_what_is_there(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.main()
    installs(bootstrap)
    with (bootstrap.ROOT / "core/pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "pip", lambda *_: sys.exit("failed (1): pip"))
        with pytest.raises(SystemExit):
            bootstrap.main()
    bootstrap.main()
    assert installs(bootstrap) == ["core"]


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_cuda_packages_in_the_environment_fail_loudly_and_leave_no_stamp(bootstrap: ModuleType) -> None:
    (bootstrap.VENV / "lib/python3.11/site-packages/nvidia_cublas-13.0.dist-info").mkdir(parents=True)
    with pytest.raises(SystemExit, match=r"needs nvidia_cublas.*\n.*do: "):
        bootstrap.main()
    assert not bootstrap.STAMP.exists()


def test_a_torch_that_brings_cuda_is_refused_before_it_is_downloaded(bootstrap: ModuleType) -> None:
    needs = ["filelock", 'nvidia-cublas==13.0; platform_system == "Linux"', 'cuda-python; extra == "cuda"']
    report = json.dumps({"install": [{"metadata": {"requires_dist": needs}}]})
    with pytest.raises(SystemExit, match=r"needs nvidia-cublas==13\.0"):
        bootstrap.stop_when_cuda(report)


def test_everything_comes_as_a_wheel_of_the_pinned_version_but_what_is_listed(bootstrap: ModuleType) -> None:
    folder = bootstrap.ROOT / "plugins/samples/new"
    folder.mkdir(parents=True)
    settings = '[tool.functory]\nweights = ["snownlp", "some-text"]\n'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "functory-new"\n{settings}', encoding="utf-8")
    bootstrap.main()
    installing = [command for command in bootstrap.ran if "install" in command]
    assert installing[0][-1] == "pip"
    constraints = str(bootstrap.ROOT / "constraints.txt")
    for command in installing:
        options = list(pairwise(command))
        assert ("--only-binary", ":all:") in options
        assert ("-c", constraints) in options
        assert not {"--upgrade", "-U"} & set(command)
    [building] = [command for command in installing if "--no-binary" in command]
    assert building == installing[-1]
    assert [what for flag, what in pairwise(building) if flag == "--no-binary"] == ["snownlp"]
    assert ("--build-constraint", constraints) in list(pairwise(building))
    assert "--no-build-isolation" not in building


def test_constraints_pin_every_package_of_weights_or_text(bootstrap: ModuleType) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    needs = [need for d in bootstrap.installed(ROOT) for need in d.settings.get("weights", [])]
    assert {need.split(";")[0] for need in needs} <= pinned

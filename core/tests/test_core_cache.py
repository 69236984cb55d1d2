"""What is kept is found by its content, checked when it is read, bounded, and never needed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from importlib import import_module, reload
from pathlib import Path
from typing import Any

import pytest

from functory.contracts.backbone import Backbone
from functory.contracts.component import NoOptions
from functory.errors import UsageError
from functory.machine import configuration, contents, holding, keeping, places, trimming
from functory.machine.contents import code_hash, content_hash
from functory.machine.entries import Entries
from functory.machine.environment import facts

OLD = time.time() - 10 * 86400


def fill(folder: Path) -> None:
    (folder / "a.bin").write_bytes(b"all of it")


def never(folder: Path) -> None:
    raise AssertionError("this was kept already")


def flips(path: Path) -> list[bytes]:
    """Return a file's bytes with each single bit flipped."""
    sound = path.read_bytes()
    return [sound[: at // 8] + bytes([sound[at // 8] ^ 1 << at % 8]) + sound[at // 8 + 1 :] for at in range(8 * len(sound))]


def entry(cache: Path, name: str, used: float, size: int = 100) -> Path:
    """Keep an entry of some bytes as one that was used at a time."""
    made = Entries(places.cache("features"), "features").make(name, lambda folder: _write(folder / "a.bin", size))
    for path in (made / "a.bin", made / "entry.json", made):
        os.utime(path, (used, used))
    return made


def _write(path: Path, size: int) -> None:
    path.write_bytes(b"x" * size)


def test_a_file_is_hashed_once_while_it_is_surely_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = tmp_path / "weights", []
    file.write_bytes(b"one")
    monkeypatch.setattr(contents, "hash_file", lambda path: read.append(path) or path.read_text())
    assert [content_hash(file), content_hash(file)] == ["one", "one"]
    assert len(read) == 2, "so young a file may change again within the same moment"
    monkeypatch.setattr(contents, "YOUNG_SECONDS", -1.0)
    assert [content_hash(file), content_hash(file), content_hash(file)] == ["one"] * 3
    assert len(read) == 3


def test_a_change_behind_an_unchanged_size_and_time_is_another_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    os.utime(file, (OLD, OLD))
    monkeypatch.setattr(contents, "YOUNG_SECONDS", -1.0)
    first = content_hash(file)
    file.write_bytes(b"two")
    os.utime(file, (OLD, OLD))
    assert content_hash(file) != first


def test_code_of_equal_versions_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, code in (("plug_a", "A = 1\n"), ("plug_b", "A = 1\n"), ("plug_c", "A = 2\n")):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "deep" / "__init__.py").write_text(code)
        import_module(f"{name}.deep")
    codes = [contents._code(contents._root(f"plug_{one}.deep")) for one in "abc"]
    assert codes[0] == codes[1] != codes[2]
    assert code_hash("plug_a.deep") == code_hash("plug_a") != code_hash("plug_c")
    (tmp_path / "plug_a" / "deep" / "__init__.py").write_text("A = 22\n")
    assert contents._code("plug_a") == codes[0], "what runs is what was imported"
    reload(sys.modules["plug_a.deep"])
    assert contents._code("plug_a") not in codes


def test_what_a_lone_file_takes_from_beside_it_is_its_code_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "beside_1.py").write_text("A = 1\n")
    (tmp_path / "lone_1.py").write_text("import beside_1\n")
    import_module("lone_1")
    first = contents._read_code("lone_1")
    (tmp_path / "beside_1.py").write_text("A = 2\n")
    assert contents._read_code("lone_1") != first


class Located(Backbone[NoOptions]):
    """A backbone of which nothing but its place matters."""

    def locate(self) -> Path:
        return Path(self.place)

    def read_spec(self) -> Any:
        raise NotImplementedError

    read_tokenizer = load_network = read_spec


def test_a_backbone_is_what_its_files_hold_whether_a_folder_or_one_file(tmp_path: Path) -> None:
    (tmp_path / "model" / "1_Pooling").mkdir(parents=True)
    (tmp_path / "one.gguf").write_bytes(b"weights")
    folder, file = Located(NoOptions(), str(tmp_path / "model")), Located(NoOptions(), str(tmp_path / "one.gguf"))
    seen = {folder.contents()}
    for name in ("config.json", "model.safetensors", "1_Pooling/config.json", "model-00001-of-2.safetensors"):
        for text in ("1", "2"):
            (tmp_path / "model" / name).write_text(text)
            seen.add(folder.contents())
    assert len(seen) == 9
    (tmp_path / "model" / "optimizer.pt").write_text("no part of it")
    assert folder.contents() in seen
    before = file.contents()
    (tmp_path / "one.gguf").write_bytes(b"Weights")
    assert file.contents() != before


def test_no_flipped_bit_of_an_entry_is_ever_read(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = Entries(places.cache("features"), "features")
    place = entries.make("1f0c", fill)
    (place / "entry.json").write_text((place / "entry.json").read_text().replace(" ", ""))  # fewer bits to flip
    for name in ("a.bin", "entry.json"):
        sound = (place / name).read_bytes()
        for damaged in flips(place / name):
            (place / name).write_bytes(damaged)
            found = entries.find("1f0c")
            assert found is None or (found / "a.bin").read_bytes() == b"all of it"
            assert found is None or name == "entry.json"
        (place / name).write_bytes(sound)
    assert entries.find("1f0c") == place
    assert f"the features in {place} are damaged (a.bin is not what was written), and are made again." in capsys.readouterr().err


def test_an_entry_under_another_s_name_is_none(cache: Path) -> None:
    entries = Entries(places.cache("features"), "features")
    entries.make("one", fill).rename(cache / "features" / "other")
    assert entries.find("other") is None
    assert entries.find("one") is None
    assert entries.make("other", fill) == cache / "features" / "other"
    assert entries.find("other") is not None


def test_no_flipped_bit_of_a_note_is_ever_read(cache: Path) -> None:
    keeping.write_note("golden", ["all", 1], {"form": "int8"})
    (file,) = (cache / "golden").iterdir()
    for damaged in flips(file):
        file.write_bytes(damaged)
        assert keeping.read_note("golden", ["all", 1]) in (None, {"form": "int8"})
    file.write_bytes(b"")
    assert keeping.read_note("golden", ["all", 1]) is None
    keeping.write_note("golden", ["all", 1], {"form": "int8"})
    assert keeping.read_note("golden", ["all", 1]) == {"form": "int8"}
    file.rename(file.with_name("x"))
    assert keeping.read_note("golden", ["all", 2]) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO])
def test_what_the_cache_does_not_take_is_kept_aside_and_said_once(
    cache: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aside = Path(keeping.stand_in("features")).parent
    name, is_half = f"entry-{number}", []

    def half(folder: Path) -> None:
        (folder / "a.bin").write_bytes(b"all")
        if aside not in folder.parents:
            is_half.append(folder)
            raise OSError(number, os.strerror(number), str(folder))
        fill(folder)

    entries = Entries(places.cache("features"), "features")
    made = entries.make(name, half)
    assert made == aside / "features" / name
    assert entries.find(name) == made
    assert is_half
    assert not list((cache / "features").iterdir()), "half of it stayed"
    entries.make(f"second-{number}", half)
    assert capsys.readouterr().err.count("note: ") == 1


def test_a_file_in_the_cache_s_place_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("somebody's")
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    assert Entries(places.cache_root() / "features", "features").make("file", fill).is_dir()
    keeping.write_note("golden", 1, 1)
    assert keeping.read_note("golden", 1) is None
    assert Entries(places.cache_root() / "features", "features").find("nothing") is None
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"note: the cache at {tmp_path / 'cache'} cannot be written: " in told
    assert told.endswith("; going on without.\n")


def test_the_facts_of_a_machine_say_that_its_cache_cannot_be_written(cache: Path) -> None:
    assert facts()["cache"] == str(cache)
    cache.write_text("")
    assert facts()["cache"] == f"{cache} (cannot be written)"


def test_what_was_kept_aside_goes_with_the_process(tmp_path: Path) -> None:
    code = "from functory.machine import keeping; print(keeping.stand_in('runs'))"
    place = tmp_path / "cache"
    place.write_text("")
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "FUNCTORY_CACHE": str(place)}, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert told.endswith("runs")
    assert not Path(told).parent.exists()


def test_beyond_the_bound_what_was_used_longest_ago_goes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(file.stat().st_size for file in entry(cache, "a", OLD).iterdir())
    made = [entry(cache, name, OLD + age) for name, age in (("b", 30), ("c", 20), ("d", 40))]
    assert trimming.trim(cache, 3 * size) <= 3 * size
    assert [place.exists() for place in made] == [True, False, True]
    assert not (cache / "features" / "a").exists()
    monkeypatch.setenv("FUNCTORY_CACHE_LIMIT", f"{2 * size / 1000:.3f} kB")
    monkeypatch.setattr(trimming, "_totals", {})
    assert Entries(cache / "features", "features").find("b"), "reading is using"
    Entries(cache / "features", "features").make("e", lambda folder: _write(folder / "a.bin", 100))
    assert [place.name for place in sorted((cache / "features").iterdir())] == ["e"]


def test_reading_an_entry_makes_it_the_last_to_go(cache: Path) -> None:
    for name, age in (("a", 0), ("b", 10)):
        size = sum(file.stat().st_size for file in entry(cache, name, OLD + age).iterdir())
    assert Entries(cache / "features", "features").find("a")
    trimming.trim(cache, size / trimming.SHARE)
    assert [place.name for place in (cache / "features").iterdir()] == ["a"]


def test_what_a_running_build_uses_is_never_dropped(cache: Path) -> None:
    entry(cache, "before", OLD)
    entries = Entries(cache / "features", "features")
    let_go = entries.hold()
    entries.make("mine", fill)
    code = (
        "import sys\nfrom functory.machine import places\nfrom functory.machine.entries import Entries\n"
        "entries = Entries(places.cache('features'), 'features')\nentries.hold()\n"
        "entries.make('another', lambda folder: (folder / 'a.bin').write_bytes(b'1'))\n"
        "print('ready', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        trimming.trim(cache, 0)
        assert kept(cache) == ["another", "mine"]
        let_go()
        trimming.trim(cache, 0)
        assert kept(cache) == ["another"]
        other.kill()
    trimming.trim(cache, 0)
    assert kept(cache) == []
    assert not list((cache / "features").iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_that_ends_leaves_what_its_parent_holds_and_keeps_aside(cache: Path) -> None:
    entries = Entries(places.cache("features"), "features")
    let_go, aside = entries.hold(), keeping.stand_in("features")
    entries.make("mine", fill)
    child = os.fork()
    if not child:
        let_go()
        keeping._remove(os.getppid())
        os._exit(0)
    os.waitpid(child, 0)
    trimming.trim(cache, 0)
    assert kept(cache) == ["mine"]
    assert aside.is_dir()
    let_go()


def kept(cache: Path) -> list[str]:
    return sorted(one.path.name for one in trimming.kept(cache / "features"))


def test_left_runs_and_logs_go_only_when_they_are_old_and_weights_never(cache: Path) -> None:
    for area in ("runs", "weights"):
        for name, used in (("old", OLD), ("new", time.time())):
            folder = places.cache(area, name)
            _write(folder / "step", 100)
            os.utime(folder / "step", (used, used))
            os.utime(folder, (used, used))
    held = holding.take(places.cache("runs", "held"))
    for path in (cache / "runs" / "held" / holding.HELD, cache / "runs" / "held"):
        os.utime(path, (OLD, OLD))
    trimming.trim(cache, 0)
    assert (cache / "runs" / "held").exists(), "a build that waits long is a build"
    assert held is not None
    held.release()
    left = [f"{area} {name}" for area in ("runs", "weights") for name in ("old", "new") if (cache / area / name).exists()]
    assert left == ["runs new", "weights old", "weights new"]


def test_a_folder_that_is_no_cache_is_never_trimmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE_LIMIT", "0")
    entries = Entries(tmp_path / "features", "features")
    first = entries.make("first", fill)
    entries.make("second", fill)
    assert first.exists()


def test_half_written_things_of_killed_processes_are_swept_and_those_of_living_ones_stay(cache: Path) -> None:
    code = (
        "import sys\nfrom functory.machine import places\nfrom functory.machine.entries import Entries\n"
        "def write(folder):\n    (folder / 'a.bin').write_bytes(b'1')\n    print('half', flush=True)\n    sys.stdin.read()\n"
        "Entries(places.cache('features'), 'features').make('one', write)"
    )
    entries = Entries(places.cache("features"), "features")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"half\n"
        entries.make("two", fill)
        assert len(list((cache / "features").glob(".one.*.part"))) == 1
        other.kill()
    assert entries.find("one") is None
    entries.make("three", fill)
    assert not list((cache / "features").glob(".*.part"))


@pytest.mark.parametrize(
    ("said", "bytes_"), [("20 GB", 20e9), ("1.5mb", 1.5e6), ("700", 700.0), ("0", 0.0), ("2T", 2e12), ("none", float("inf"))]
)
def test_the_bound_is_written_as_people_write_sizes(
    said: str, bytes_: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FUNCTORY_CACHE_LIMIT", raising=False)
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "config.toml"))
    assert 0 < configuration.cache_limit(tmp_path) <= 10e9
    (tmp_path / "config.toml").write_text(f"cache_limit = '{said}'")
    assert configuration.cache_limit(tmp_path) == bytes_
    (tmp_path / "config.toml").write_text("cache_limit = '1 GB'")
    monkeypatch.setenv("FUNCTORY_CACHE_LIMIT", said)
    assert configuration.cache_limit(tmp_path) == bytes_


@pytest.mark.parametrize("said", ["much", "-1", "1 PB", "10 apples", "true"])
def test_a_bound_that_is_no_size_is_refused(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE_LIMIT", said)
    with pytest.raises(UsageError, match="no size") as error:
        Entries(places.cache("features"), "features").hold()
    assert error.value.where == "$FUNCTORY_CACHE_LIMIT"

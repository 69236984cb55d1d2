"""Components by name: what is listed, which one is meant, and what becomes of the broken ones."""

from __future__ import annotations

import re
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functory.cli import main
from functory.contracts.component import CONTRACT, Component
from functory.errors import (
    AmbiguousComponent,
    PluginContractError,
    PluginError,
    PluginImportError,
    UnknownComponent,
    UsageError,
)
from functory.machine import distributions
from functory.plugins import importing
from functory.plugins import registry as plugins
from functory.plugins.missing import remedy
from functory.plugins.references import Reference


def test_a_component_is_found_loaded_named_and_traced_to_its_distribution(site: Any) -> None:
    site.add("functory-thing", {"packagers": {"thing": "Thing"}}, version="2.3")
    plugins.refresh()
    found = plugins.find("packagers", "thing")
    assert (found.distribution, found.version, found.summary) == (
        "functory-thing",
        "2.3",
        "The summary of functory-thing",
    )
    assert "functory_thing" not in sys.modules
    loaded = plugins.load("packagers", "thing")
    assert loaded is plugins.load("packagers", "functory-thing:thing")
    assert loaded.name == "thing"
    assert loaded.summary() == "Does a small thing."
    assert plugins.origin(loaded) == plugins.origin(loaded()) == found


def test_listing_a_hundred_plugins_imports_none(site: Any) -> None:
    for number in range(100):
        site.add(f"functory-many-{number}", {"packagers": {f"many{number}": "Thing"}}, "raise SystemExit")
    plugins.refresh()
    assert sum(entry.name.startswith("many") for entry in plugins.entries("packagers")) == 100
    assert not any(name.startswith("functory_many") for name in sys.modules)


def test_the_first_distribution_of_a_name_on_the_path_hides_the_later_ones(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("functory-thing", {"packagers": {"old": "Thing"}}, version="1.0")
    first = type(site)(tmp_path / "first")
    first.folder.mkdir()
    first.add("Functory_Thing", {"packagers": {"new": "Thing"}}, version="2.0")
    monkeypatch.syspath_prepend(str(first.folder))
    ours = [entry for entry in plugins.entries() if entry.distribution == "functory-thing"]
    assert [(entry.name, entry.version) for entry in ours] == [("new", "2.0")]


def test_an_egg_info_folder_is_read_and_a_file_and_an_archive_are_passed_over(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    egg = site.folder / "functory_egg.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text(
        "Metadata-Version: 2.1\nVersion: 0.4\nSummary: From an egg\n\nSummary: no\n"
    )
    (egg / "entry_points.txt").write_text("[functory.packagers]\negg = functory_egg:Thing [extra]\n")
    (site.folder / "other-1.0.egg-info").write_text("a file")
    archive = site.folder / "archive.zip"
    archive.write_bytes(b"PK")
    monkeypatch.syspath_prepend(str(archive))
    found = plugins.find("packagers", "egg")
    assert (found.version, found.summary, found.value) == ("0.4", "From an egg", "functory_egg:Thing")


def test_a_name_that_two_distributions_claim_is_refused_and_both_are_reachable(broken: Any) -> None:
    with pytest.raises(AmbiguousComponent) as caught:
        plugins.load("packagers", "twice", where="recipe.toml, line 7")
    assert "say which: functory-good:twice or functory-twin:twice" in str(caught.value)
    assert "where: recipe.toml, line 7" in str(caught.value)
    ones = [plugins.load("packagers", f"functory-{which}:twice") for which in ("good", "twin")]
    assert ones[0] is not ones[1]
    assert [plugins.origin(one).distribution for one in ones] == ["functory-good", "functory-twin"]


def test_data_in_the_place_of_a_name_are_refused() -> None:
    with pytest.raises(UsageError, match=r"(?s)a name of the packager is wanted, and a list was given.*data=…"):
        plugins.load("packagers", [{"text": "a"}])  # type: ignore[call-overload]


def test_one_class_under_two_names_has_each_name_once(broken: Any) -> None:
    good, twice = plugins.load("packagers", "good"), plugins.load("packagers", "functory-good:twice")
    assert (good.name, twice.name) == ("good", "twice")
    assert plugins.load("packagers", "good") is good


def test_an_unknown_name_is_answered_with_the_near_ones_and_who_would_bring_it(
    broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "known", lambda: {"packagers": {"docker": "functory-docker"}})
    with pytest.raises(
        UnknownComponent, match=r"did you mean 'good'\?.*docker \(pip install functory-docker\)"
    ):
        plugins.load("packagers", "goood")
    with pytest.raises(UnknownComponent, match="it comes with functory-docker: pip install functory-docker"):
        plugins.load("packagers", "docker")
    with pytest.raises(UnknownComponent, match="named 'nobody:good'"):
        plugins.load("packagers", "nobody:good")


def test_an_unknown_kind_lists_the_kinds() -> None:
    with pytest.raises(UsageError, match="the kinds: backbones, tasks"):
        plugins.entries("potions")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            "raises",
            "import",
            r"bad-raises 1\.0 .* raised ZeroDivisionError .*\n  where: .*bad_raises\.py, line 1\n",
        ),
        (
            "missing-dependency",
            "import",
            r"needs the module 'a_library_that_nobody_has', which is not installed",
        ),
        ("exits", "import", r"ended the program .* \(exit code 3\)\.\n  where: .*bad_exits\.py, line 2\n"),
        ("no-such-module", "import", r"announces the module bad_no_such_module, which is not there\.\n"),
        (
            "no-such-class",
            "contract",
            r"has no 'Thing' in bad_no_such_class\.\n  where: .*bad_no_such_class\.py",
        ),
        ("not-a-subclass", "contract", r"gives Thing .* is no functory\.contracts\.packager\.Packager"),
        ("abstract", "contract", r"gives Thing, which lacks what every Packager must have: package"),
        ("other-contract", "contract", rf"for contract version 99; this functory speaks {CONTRACT}"),
    ],
)
def test_a_broken_plugin_is_named_with_its_reason_and_spoils_nothing(
    broken: Any, name: str, error: str, message: str
) -> None:
    kind = {"import": PluginImportError, "contract": PluginContractError}[error]
    with pytest.raises(kind, match=message) as caught:
        plugins.load("packagers", name)
    assert caught.value.diagnosis == name
    assert f"bad-{name}" in caught.value.do or "pip install" in caught.value.do
    assert plugins.load("packagers", "good")().package(Path(), "", Path()) == []


@pytest.mark.parametrize(("code", "told"), [("'needs Python 4'", "it said: needs Python 4"), ("", "exit code 0")])
def test_what_a_plugin_says_when_it_ends_the_program_is_told(code: str, told: str, site: Any) -> None:
    site.add("functory-away", {"packagers": {"away": "Thing"}}, f"raise SystemExit({code})")
    plugins.refresh()
    with pytest.raises(PluginImportError, match=rf"ended the program while it was imported \({told}\)"):
        plugins.load("packagers", "away")


@pytest.mark.parametrize(
    ("requires", "module", "do"),
    [
        ("no-such-lib>=2,<3", "no_such_lib.parts", "pip install 'no-such-lib>=2,<3', which functory-thing requires."),
        ("No.Such-Lib", "no_such_lib", "pip install No.Such-Lib, which functory-thing requires."),
        ("no-such-lib>=2; extra == 'tables'", "no_such_lib", "pip install 'functory-thing[tables]', which brings no-such-lib."),
        ("no-such-other", "no_such_lib", "pip install no-such-lib, if that is what brings it. functory-thing does not say"),
    ],
)  # fmt: skip
def test_a_missing_module_is_answered_with_what_brings_it(site: Any, requires: str, module: str, do: str) -> None:
    metadata = site.add("functory-thing", {"packagers": {"thing": "Thing"}}, f"import {module}") / "METADATA"
    metadata.write_text(f"{metadata.read_text()}Requires-Dist: {requires}\n\nRequires-Dist: {module} (a README's)\n")
    plugins.refresh()
    with pytest.raises(PluginImportError) as caught:
        plugins.load("packagers", "thing")
    assert caught.value.do.startswith(do)
    assert "-U" not in caught.value.do
    assert f"needs the module {module.partition('.')[0]!r}" in caught.value.what


def test_a_missing_module_whose_distribution_has_another_name_is_looked_for_by_that(site: Any) -> None:
    metadata = site.add("functory-thing", {"packagers": {"thing": "Thing"}}) / "METADATA"
    metadata.write_text(f"{metadata.read_text()}Requires-Dist: scikit-learn (>=1.4)\n")
    plugins.refresh()
    entry = plugins.find("packagers", "thing")
    assert remedy("sklearn.metrics", entry).startswith("pip install 'scikit-learn>=1.4', which")
    assert remedy("google.protobuf", entry).startswith("pip install protobuf, if that")


def test_a_plugin_for_another_contract_is_refused_before_its_code_runs(broken: Any) -> None:
    with pytest.raises(PluginContractError):
        plugins.load("packagers", "other-contract")
    assert "bad_other_contract" not in sys.modules


def test_a_plugin_that_says_no_contract_version_is_refused_with_what_its_author_must_add(site: Any) -> None:
    site.add("functory-thing", {"packagers": {"thing": "Thing"}}, contract=None)
    plugins.refresh()
    with pytest.raises(
        PluginContractError, match=r'its author adds \[project.entry-points."functory.contract"\]'
    ):
        plugins.load("packagers", "thing")


def test_a_failure_is_remembered_and_told_with_the_place_that_asks(site: Any) -> None:
    source = "import builtins\nbuiltins.functory_count = getattr(builtins, 'functory_count', 0) + 1\n1 / 0\n"
    site.add("functory-once", {"packagers": {"once": "Thing"}}, source)
    plugins.refresh()
    for line in (3, 4):
        with pytest.raises(
            PluginImportError, match=rf"line 3 \(asked for in recipe\.toml, line {line}\)"
        ) as caught:
            plugins.load("packagers", "once", where=f"recipe.toml, line {line}")
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
    import builtins

    assert builtins.functory_count == 1
    del builtins.functory_count


def test_an_attribute_error_inside_the_plugin_is_the_plugins_own(site: Any) -> None:
    site.add("functory-typo", {"packagers": {"typo": "Thing"}}, "import sys\nsys.no_such_thing\n")
    plugins.refresh()
    with pytest.raises(
        PluginImportError, match=r"raised AttributeError .*\n  where: .*functory_typo\.py, line 2"
    ):
        plugins.load("packagers", "typo")


def test_ctrl_c_during_an_import_is_not_taken_for_the_plugins_fault(site: Any) -> None:
    site.add("functory-slow", {"packagers": {"slow": "Thing"}}, "raise KeyboardInterrupt")
    plugins.refresh()
    with pytest.raises(KeyboardInterrupt):
        plugins.load("packagers", "slow")


def test_what_a_plugin_prints_while_it_is_imported_goes_to_stderr_and_what_others_print_does_not(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"""
import threading
print("from the plugin")
other = threading.Thread(target=print, args=("from another thread",))
other.start()
other.join()
{site.good}"""
    site.add("functory-loud", {"packagers": {"loud": "Thing"}}, source)
    plugins.refresh()
    stdout = sys.stdout
    plugins.load("packagers", "loud")
    assert sys.stdout is stdout
    assert capsys.readouterr() == ("from another thread\n", "from the plugin\n")


def test_a_long_import_says_what_is_still_being_imported(
    site: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "NOTICE_SECONDS", 0.01)
    site.add("functory-slow", {"packagers": {"slow": "Thing"}}, f"import time\ntime.sleep(0.5)\n{site.good}")
    plugins.refresh()
    plugins.load("packagers", "slow")
    assert capsys.readouterr().err == "still importing functory-slow 1.0 …\n"


def test_many_threads_that_load_at_once_get_the_same_class(site: Any) -> None:
    site.add("functory-slow", {"packagers": {"slow": "Thing"}}, f"import time\ntime.sleep(0.05)\n{site.good}")
    plugins.refresh()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(plugins.load("packagers", "slow"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_unreadable_metadata_is_named_and_the_others_are_listed(broken: Any) -> None:
    assert "good" in {entry.name for entry in plugins.entries("packagers")}
    (fault,) = [fault for fault in plugins.faults() if fault.diagnosis == "unreadable-metadata"]
    assert fault.distribution == "bad-unreadable-metadata"
    assert fault.where.endswith("entry_points.txt")


def test_an_unknown_kind_and_a_value_that_is_no_attribute_are_named_with_their_line(site: Any) -> None:
    metadata = site.add("functory-odd", {"packagers": {"fine": "Thing"}})
    with (metadata / "entry_points.txt").open("a") as file:
        file.write("[functory.potions]\nred = a:B\n[functory.tasks]\nhalf = functory_odd\n")
    plugins.refresh()
    ours = {fault.diagnosis: fault for fault in plugins.faults() if fault.distribution == "functory-odd"}
    assert ours["unknown-kind"].where.endswith("line 6")
    assert "half" in ours["malformed-entry"].what
    assert plugins.find("packagers", "fine")


@given(raw=st.binary(max_size=60))
def test_no_content_of_a_metadata_file_ever_raises(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    metadata = folder / "any-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_bytes(b"[functory.tasks]\n" + raw)
    (metadata / "METADATA").write_bytes(raw)
    entries, _ = distributions.scan([str(folder)])
    for entry in entries:
        assert isinstance(entry.summary, str)
        distributions.check_metadata(entry)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("minilm", Reference("minilm")),
        ("hf:org/name@rev", Reference("hf", "org/name@rev")),
        ("gguf:./x.gguf", Reference("gguf", "./x.gguf")),
        ("./folder", Reference("hf", "./folder")),
        ("/a/folder", Reference("hf", "/a/folder")),
        ("~/folder", Reference("hf", "~/folder")),
        ("functory-net:net", Reference("net", distribution="functory-net")),
        ("Functory_Net:net:org/name", Reference("net", "org/name", "functory-net")),
        ("functory-net:other", Reference("functory-net", "other")),
    ],
)
def test_a_backbone_reference_is_a_distribution_only_where_that_distribution_gives_the_name(
    site: Any, reference: str, parts: Reference
) -> None:
    site.add("functory-net", {"backbones": {"net": "Net"}})
    plugins.refresh()
    assert plugins.parse(reference) == parts


def test_other_kinds_take_no_place() -> None:
    assert plugins.parse("functory-lora:lora", "adaptations") == Reference(
        "lora", distribution="functory-lora"
    )


def test_a_component_in_a_file_is_loaded_from_a_recipe_only(site: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(site.good)
    mine = plugins.load_file("./mine.py:Thing", "packagers", base=tmp_path)
    assert mine is plugins.load_file("./mine.py:Thing", "packagers", base=tmp_path)
    assert mine.name == "file:Thing"
    assert plugins.origin(mine).distribution == ""
    (tmp_path / "mine.py").write_text(site.good.replace("Does", "Did"))
    assert plugins.load_file("./mine.py:Thing", "packagers", base=tmp_path).summary() == "Did a small thing."
    with pytest.raises(UsageError, match="which only a recipe may do"):
        plugins.load("packagers", "./mine.py:Thing")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ndef broken(:\n", r"raised SyntaxError .*\n  where: .*mine\.py, line 2"),
        ("x = 1\n\n1 / 0\n", r"raised ZeroDivisionError .*\n  where: .*mine\.py, line 3"),
        ("class Other: pass", r"does not define; it defines: Other\."),
        ("class Thing: pass", r"is no functory\.contracts\.packager\.Packager"),
    ],
)
def test_a_fault_in_a_component_file_is_told_with_its_line(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(PluginError, match=message):
        plugins.load_file("./mine.py:Thing", "packagers", base=tmp_path)


def test_a_component_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"looked for {re.escape(str(tmp_path))}"):
        plugins.load_file("./no.py:Thing", "packagers", base=tmp_path)


def test_every_kind_whose_components_are_classes_has_its_contract() -> None:
    others = {"forms", "functions", "hooks"}
    assert set(importing.CLASSES) | set(importing.MADE) | set(importing.FUNCTIONS) | others == set(plugins.GROUPS)
    for kind, value in importing.CLASSES.items():
        module, _, name = value.partition(":")
        contract = getattr(import_module(module), name)
        assert issubclass(contract, Component)
        assert contract.kind == kind


@pytest.mark.parametrize(
    ("old", "new"), [(b"Thing", b"Th\xffng"), (b"bad = ", b"bad "), (b"Summary", b"Summ\xff")]
)
def test_broken_metadata_breaks_no_library_that_reads_everybodys(site: Any, old: bytes, new: bytes) -> None:
    metadata = site.add("bad-metadata", {"packagers": {"bad": "Thing"}})
    for file in ("METADATA", "entry_points.txt"):
        (metadata / file).write_bytes((metadata / file).read_bytes().replace(old, new))
    (metadata / "top_level.txt").write_text("bad_metadata\n")
    read = "import importlib.metadata; importlib.metadata.packages_distributions()"
    done = site.run(code=f"from functory.contracts import task\n{read}")
    assert done.returncode == 0, done.stderr


def test_a_module_of_the_cores_that_is_missing_is_told_with_the_metadata_that_announces_it() -> None:
    entry = distributions.Entry(
        "commands", "gone", "functory.cli.gone:COMMAND", "functory", "1.0", None, "/there"
    )
    with pytest.raises(PluginImportError, match=r"where: /there/entry_points\.txt"):
        plugins.resolve(entry)


VERB = """
from functory.contracts.command import Command

class Verb(Command):
    help, example = "end", "functory end"

    def add_arguments(self, parser):
        pass

    def run(self, args):
        {lines}

COMMAND = Verb()
"""


def test_nobody_takes_the_blame_by_announcing_what_is_anothers(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("functory-end", {"commands": {"end": "COMMAND"}}, VERB.format(lines="import json; json.loads('{')"))
    thief = site.add("functory-thief", {}) / "entry_points.txt"
    thief.write_text("[functory.tasks]\na = json:JSONDecoder\nb = functory.cli:main\n[functory.contract]\n1 = x:Y\n")
    plugins.refresh()
    assert main(["end"]) == 1
    assert "this is a bug in the plugin functory-end" in capsys.readouterr().err


def test_a_verb_that_ends_with_a_message_is_heard(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("functory-end", {"commands": {"end": "COMMAND"}}, VERB.format(lines="raise SystemExit('no such \\x1b[31mthing')"))
    plugins.refresh()
    assert main(["end"]) == 1
    assert "no such" in capsys.readouterr().err

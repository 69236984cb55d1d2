"""Keeps the files of the chosen kind and drops the others'."""

import shutil
from pathlib import Path

chosen = Path("_kinds") / "{{ cookiecutter.kind }}"
package = Path("src") / "{{ cookiecutter.__package }}"
Path("tests").mkdir(exist_ok=True)
for file in chosen.iterdir():
    shutil.move(str(file), str((Path("tests") if file.name.startswith("test_") else package) / file.name))
shutil.rmtree("_kinds")

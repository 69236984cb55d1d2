"""Keeps the files of the chosen kind and drops the others'."""

import shutil
from pathlib import Path

chosen = Path("_kinds") / "{{ cookiecutter.kind }}"
if "{{ cookiecutter.kind }}" == "tasks":
    chosen /= "{{ cookiecutter.like }}"
package = Path("src") / "{{ cookiecutter.__package }}"
Path("tests").mkdir(exist_ok=True)
for file in chosen.iterdir():
    is_ours = file.suffix == ".py" or file.name == "backbones.json"
    folder = Path() if not is_ours else Path("tests") if file.name.startswith("test_") else package
    shutil.move(str(file), str(folder / file.name))
shutil.rmtree("_kinds")

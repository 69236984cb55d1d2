"""Refuses a name that Python or pip could not bear."""

import re
import sys

name = "{{ cookiecutter.__entry }}"
if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
    print(f"the name {name!r} is not possible: letters, digits and single hyphens, a letter first.", file=sys.stderr)
    sys.exit(1)

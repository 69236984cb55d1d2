"""Takes the pictures of the playground that the pages show: docs/playground*.png.

    .venv/bin/python scripts/environments.py browser scripts/pictures.py sentiment/ facts/

The folders are saved functions: one that labels texts, and a graph of entities and relations. `make browser` brings Chromium.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from workspace import ROOT

NARROW = 400
REVIEW = "Warm, funny and beautifully acted, from the first scene to the last."
SENTENCE = "Mary Smith , who works for the Associated Press , lives in Boston ."


def main(folders: list[str]) -> int:
    """Take them; return the exit code."""
    if len(folders) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright

    import functory
    from functory_serve import served

    labels, graph = (functory.load(folder) for folder in folders)
    place = shutil.which("chromium") or shutil.which("chromium-browser")
    with served({"sentiment": labels, "facts": graph}) as url, sync_playwright() as playing:
        walls = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playing.chromium.launch(executable_path=place, args=["--disable-background-networking", *walls])
        take(browser, f"{url}/play/sentiment", "playground", text=REVIEW, explained=True)
        take(browser, f"{url}/play/sentiment", "playground-dark", text=REVIEW, explained=True, scheme="dark")
        take(browser, f"{url}/play/facts", "playground-graph", text=SENTENCE, part="Output")
        take(
            browser, f"{url}/play/facts", "playground-narrow", text=SENTENCE, scheme="dark", wide=NARROW, part="Output"
        )
        browser.close()
    return 0


def take(
    browser: Any,
    url: str,
    name: str,
    *,
    text: str = "",
    wide: int = 1160,
    scheme: str = "light",
    explained: bool = False,
    part: str = "",
) -> None:
    """Take a picture of a page after something was asked there.

    :param text: asked for; the first example when empty.
    :param explained: whether the words are explained.
    :param part: the part of the page that is in the picture; the page down to its end when empty.
    """
    page = browser.new_page(viewport={"width": wide, "height": 860}, color_scheme=scheme)
    page.set_default_timeout(120_000)
    page.goto(url)
    page.wait_for_selector("form")
    if text:
        page.locator("textarea").first.fill(text)
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector(".shown")
    if explained:
        page.get_by_role("button", name="Which words made it so?").click()
        page.wait_for_selector(".weights")
    page.wait_for_timeout(800)  # until the bars have grown
    file = ROOT / "docs" / f"{name}.png"
    if part:
        page.get_by_role("region", name=part).screenshot(path=file)
    else:
        page.screenshot(path=file)
    small(file)
    page.close()
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes", file=sys.stderr)


def small(file: Path) -> None:
    """Keep a picture's colours to 256, where Pillow is there: a third of the bytes."""
    try:
        from PIL import Image
    except ImportError:
        return
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

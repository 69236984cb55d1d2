"""The page for people: whole in one file, bound to its own script and style, and drawn by a real browser where there is one."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def test_it_holds_all_it_needs_and_may_do_nothing_else(client: Any) -> None:
    got = client.ask("/docs")
    page, policy = got.body.decode(), got.headers["content-security-policy"]
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"https?://|//cdn|@import|\burl\(", page)
    assert not re.findall(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|\son\w+=", page)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        [inside] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{hashed}'" in policy


@pytest.mark.slow
def test_a_browser_draws_every_route_with_labels_and_examples_and_no_text_becomes_a_page(
    toy: Any, serve: Callable[..., Any], tmp_path: Any
) -> None:
    if BROWSER is None:
        assert not os.environ.get("CI"), "there is no Chromium: apt-get install chromium"
        pytest.skip("there is no Chromium here; CI has one")
    [first, *rest] = toy.golden
    nasty = toy.replaced(golden=[type(first)(**{**vars_of(first), "value": {"text": "<img src=x onerror=alert(1)>"}}), *rest])
    with serve({"toy": nasty}) as found:
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--window-size=400,900",
                   f"--user-data-dir={tmp_path}", "--dump-dom", f"http://127.0.0.1:{found.port}/docs"]  # fmt: skip
        drawn = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        paths = found.ask("/openapi.json").json["paths"]
    assert all(f'<span class="path">{path}</span>' in drawn for path in paths)
    assert "<li>no</li><li>yes</li>" in drawn
    assert "&lt;img src=x onerror=alert(1)&gt;" in drawn
    assert "<img" not in drawn


def vars_of(golden: Any) -> dict[str, Any]:
    from dataclasses import fields

    return {one.name: getattr(golden, one.name) for one in fields(golden) if one.init}

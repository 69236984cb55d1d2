"""The face keeps the contract of faces: its answers and refusals are results of tools, by events or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import pytest

pytest.importorskip("functory_serve")

from functory_mcp.tools import FAULT
from functory_sdk.testing import FaceSuite, Heard, Question

ACCEPT = "application/json, text/event-stream"


class TestMcp(FaceSuite):
    component = "mcp"

    def question(self, name: str, value: Mapping[str, Any]) -> Question:
        params = {"name": name, "arguments": dict(value)}
        return Question.of("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, accept=ACCEPT)

    def output(self, heard: Heard) -> Any:
        return told(heard)["result"]["content"][0]["text"]

    def outcome(self, heard: Heard) -> Literal["answered", "refused", "failed"]:
        if heard.status >= 400:
            return "failed" if heard.status >= 500 else "refused"
        if not heard.body:  # a notification wants no answer
            return "answered"
        answer = told(heard)
        if "error" in answer:
            return "failed" if answer["error"]["code"] == -32603 else "refused"
        if not answer["result"].get("isError"):
            return "answered"
        return "failed" if answer["result"]["_meta"][FAULT]["error"] == "FunctionFailed" else "refused"


def told(heard: Heard) -> Any:
    """Return the message that came back: the only event's, or the body."""
    events = [line.removeprefix("data: ") for line in heard.text.splitlines() if line.startswith("data: ")]
    return json.loads(events[-1]) if events else heard.json

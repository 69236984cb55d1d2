"""What stands on an OpenAPI page, whoever puts it there, the server or a face: what is sent, what comes back, schemas in their
places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]  # Any: JSON
MEDIA, PROBLEM, EVENTS = "application/json", "application/problem+json", "text/event-stream"


def placed(schema: Any, name: str) -> Any:  # Any: JSON
    """Return a schema whose references lead to its own definitions where it stands on the page.

    :param name: under which it stands among ``components/schemas``.
    """
    if isinstance(schema, dict):
        return {key: f"#/components/schemas/{name}/{value.removeprefix('#/')}"
                if key == "$ref" and isinstance(value, str) and value.startswith("#/") else placed(value, name)
                for key, value in schema.items()}  # fmt: skip
    return [placed(one, name) for one in schema] if isinstance(schema, list) else schema


def sent(schema: Mapping[str, Any], example: Any = None) -> Json:  # Any: JSON
    """Return a body as JSON that must be sent."""
    content = {"schema": dict(schema), **({"example": example} if example is not None else {})}
    return {"required": True, "content": {MEDIA: content}}


def answer(what: str, schema: Mapping[str, Any], *, is_problem: bool = False) -> Json:
    """Return an answer as JSON.

    :param what: it is, as a sentence.
    :param is_problem: whether it may be the server's own problem document, too, which comes where nothing of a request is heard.
    """
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}} if is_problem else {}
    return {"description": what, "content": {MEDIA: {"schema": dict(schema)}, **problem}}


def events(schema: Mapping[str, Any], what: str, last: str = "") -> Json:
    """Return the content of an answer that comes as server-sent events.

    :param schema: of each event's data.
    :param what: the data are.
    :param last: the data of an event that ends them, which is no JSON; none where empty.
    """
    data: Json = {"type": "string", "contentMediaType": MEDIA, "contentSchema": dict(schema), "description": what}
    data = {"anyOf": [{"const": last}, data]} if last else data
    return {EVENTS: {"schema": {"type": "object", "properties": {"data": data}, "required": ["data"]}}}

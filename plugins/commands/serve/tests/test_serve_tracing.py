"""Spans: a request within its client's trace, how long it waited and was computed, and no text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from functory_serve.tracing import Traces

AT = "/v1/functions/toy"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def kept() -> tuple[InMemorySpanExporter, Traces]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter, Traces(provider.get_tracer("test"), provider)


def test_a_request_is_a_span_of_its_clients_trace_with_its_stages_and_no_text(
    toy: Any, serve: Callable[..., Any], kept: tuple[InMemorySpanExporter, Traces]
) -> None:
    exporter, traces = kept
    with serve({"toy": toy}, traces=traces) as found:
        found.ready()
        got = found.ask(AT, "a secret film", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        found.ask(AT, {"secret": 1})
        found.ask("/v1/functions/secret", "good")
        found.until(lambda: len(posted(exporter)) == 5)
    waiting, computing, request, wrong, nowhere = posted(exporter)
    assert (waiting.name, computing.name, request.name) == ("waiting", "computing", "functory toy")
    assert {f"{one.context.trace_id:032x}" for one in (waiting, computing, request)} == {TRACE}
    assert f"{request.parent.span_id:016x}" == PARENT
    assert waiting.parent.span_id == computing.parent.span_id == request.context.span_id
    assert request.start_time <= waiting.start_time <= waiting.end_time == computing.start_time < computing.end_time
    told = dict(request.attributes)
    assert told["functory.request"] == got.headers["x-request-id"]
    assert (told["functory.function"], told["http.response.status_code"], told["http.request.method"]) == ("toy", 200, "POST")
    assert [one.attributes["http.response.status_code"] for one in (wrong, nowhere)] == [422, 404]
    assert "secret" not in str([one.to_json() for one in exporter.get_finished_spans()])


def test_a_failure_of_the_functions_own_is_an_error_and_a_clients_is_none(
    toy: Any, serve: Callable[..., Any], kept: tuple[InMemorySpanExporter, Traces], monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter, traces = kept

    class Failing:
        def __getattr__(self, name: str) -> Any:
            return getattr(toy, name)

        def map(self, *_: Any, **__: Any) -> Any:
            raise ZeroDivisionError("a secret")

    with serve({"toy": toy}, traces=traces) as found:
        found.ready()
        found.ask(AT, {"texd": 1})
        monkeypatch.setattr(found.service.servings["toy"], "function", Failing())
        assert found.ask(AT, "good").status == 500
        found.until(lambda: any(map(is_failed, exporter.get_finished_spans())))
    [failed] = [one for one in exporter.get_finished_spans() if is_failed(one)]
    assert failed.attributes["error.type"] == "500"
    assert "secret" not in failed.to_json()


def posted(exporter: InMemorySpanExporter) -> list[Any]:
    """The spans but those of asking whether it is ready."""
    return [one for one in exporter.get_finished_spans() if one.attributes.get("http.request.method") != "GET"]


def is_failed(span: Any) -> bool:
    return "error.type" in span.attributes and span.name == "functory toy"

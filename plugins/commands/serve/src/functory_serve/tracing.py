"""Spans of OpenTelemetry, by option: each request, with how long it waited for its last batch and was computed in it.

Apart from the metrics, which add requests up: here one of them is followed, from its client's own trace on. No text is in a span.
Where spans go, and which are kept, the variables of OpenTelemetry say: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from functory_sdk import NotSupported
from functory_serve import log

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

NAME = "functory"
BAD = 500
"""From this status on a request failed by nobody's fault but ours."""


class Traced:
    """A request's span."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer, self._span = tracer, span

    def ended(self, function: str, request: str, status: int) -> None:
        """Say what came of the request.

        :param function: that it used; empty when none.
        :param request: its id.
        """
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attributes({"functory.request": request, "http.response.status_code": status})
        if function:
            self._span.set_attribute("functory.function", function)
            self._span.update_name(f"{NAME} {function}")
        if status >= BAD:
            self._span.set_attribute("error.type", str(status))
            self._span.set_status(Status(StatusCode.ERROR))

    def stages(self, came: float, begun: float, now: float) -> None:
        """Add how long it waited for its last batch, and was computed in it.

        :param came: when it came; all three in seconds of a clock that does not jump, and that says `now`.
        """
        from opentelemetry.trace import set_span_in_context

        told, context = time.time_ns(), set_span_in_context(self._span)
        came, begun, now = (told - int((now - at) * 1e9) for at in (came, begun, now))
        for stage, first, last in (("waiting", came, max(came, begun)), ("computing", max(came, begun), now)):
            self._tracer.start_span(stage, context, start_time=int(first)).end(int(last))


CURRENT: ContextVar[Traced | None] = ContextVar("functory_traced", default=None)
"""The span of the request that is answered here."""


class Traces:
    """Makes a span of each request; `close` sends the last ones.

    :param tracer: nothing is traced when None.
    """

    def __init__(self, tracer: Tracer | None = None, provider: Any = None) -> None:  # Any: the SDK's, which may not be installed
        self._tracer, self._provider = tracer, provider

    @property
    def is_on(self) -> bool:
        """Whether anything is traced."""
        return self._tracer is not None

    @classmethod
    def exported(cls) -> Traces:
        """Return one that sends spans where the variables of OpenTelemetry say.

        :raises NotSupported: when it is not installed.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import SERVICE_NAME, Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise NotSupported("OpenTelemetry is not installed.", do="pip install 'functory-serve[otel]'.") from None
        log.take("opentelemetry")
        provider = TracerProvider(resource=Resource.create({SERVICE_NAME: NAME}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider.get_tracer("functory_serve"), provider)

    def request(self, scope: Any) -> AbstractContextManager[Traced | None]:  # Any: an ASGI scope
        """Follow a request while the block runs, as a part of its client's trace where its head says one."""
        return _NOTHING if self._tracer is None else self._followed(self._tracer, scope)

    @contextmanager
    def _followed(self, tracer: Tracer, scope: Any) -> Iterator[Traced]:
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        carried = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIED}
        told = {"http.request.method": scope["method"], "url.scheme": scope.get("scheme", "http")}
        with tracer.start_as_current_span(
            NAME, extract(carried), SpanKind.SERVER, told, record_exception=False, set_status_on_exception=False
        ) as span:
            before = CURRENT.set(traced := Traced(tracer, span))
            try:
                yield traced
            finally:
                CURRENT.reset(before)

    def close(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._provider.shutdown()


_NOTHING = nullcontext(None)
_CARRIED = frozenset((b"traceparent", b"tracestate", b"baggage"))

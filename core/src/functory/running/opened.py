"""The session of a program, opened when it is first needed; functions that differ in how they write alone share it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from functory.contracts.engine import Session, SessionOptions
from functory.machine.storage import telling

if TYPE_CHECKING:
    from functory.running.forms import Form


class Opened:
    """A session that is opened once, by whichever thread needs it first, and again after it was closed."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._lock = threading.Lock()

    def session(self, form: Form, options: SessionOptions) -> Session:
        """Return the session of a form."""
        if self._session is None:
            with self._lock:
                if self._session is None:
                    with telling():
                        self._session = form.open(options)
        return self._session

    def close(self) -> None:
        """Free what the session holds."""
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session = None

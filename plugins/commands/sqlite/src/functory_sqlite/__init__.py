"""Functions in SQLite: ``connect("reviews.db", sentiment=fn)``, ``register(connection, fn)``, ``functory sqlite``."""

from functory_sqlite.connecting import connect
from functory_sqlite.registering import register

__all__ = ["connect", "register"]

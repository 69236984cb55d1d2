"""What the author of a face needs besides `functory_sdk.Face`: the types of ASGI, and a text while it is written."""

from functory.contracts.face import App, Receive, Scope, Send, Writing

__all__ = ["App", "Receive", "Scope", "Send", "Writing"]

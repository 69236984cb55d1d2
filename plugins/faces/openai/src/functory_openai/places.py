"""Where the routes lie."""

from __future__ import annotations

MODELS, CHAT, COMPLETIONS, EMBEDDINGS = "/v1/models", "/v1/chat/completions", "/v1/completions", "/v1/embeddings"

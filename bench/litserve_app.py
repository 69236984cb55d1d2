"""A function under LitServe: ``python litserve_app.py FOLDER PORT BATCH WAIT THREADS WORKERS``.

It runs in the environment of the peer `serving`. The function is ours, so that both servers compute the same, by the same `map`.
"""

from __future__ import annotations

import sys
from typing import Any

import litserve
import litserve.server

litserve.server._MCP_AVAILABLE = False  # what it knows of MCP is another version's than ours


class Served(litserve.LitAPI):
    """The function's outputs, batch by batch.

    :param folder: where the function is saved.
    """

    def __init__(self, folder: str, threads: int, **batching: Any) -> None:
        super().__init__(**batching)
        self._folder, self._threads = folder, threads

    def setup(self, device: str) -> None:
        import functory

        self.fn = functory.load(self._folder, threads=self._threads)
        self.fn("warm")

    def decode_request(self, request) -> str:  # noqa: ANN001 - by a type it would make a form of it
        return request["text"]

    def batch(self, inputs: list[str]) -> list[str]:
        return inputs

    def predict(self, texts: list[str]) -> list[Any]:
        return list(self.fn.map(texts, progress=False))

    def unbatch(self, output: list[Any]) -> list[Any]:
        return output

    def encode_response(self, output: Any) -> dict[str, Any]:
        return output.model_dump(mode="json")


if __name__ == "__main__":
    folder, port, batch, wait, threads, workers = sys.argv[1:]
    api = Served(folder, int(threads), max_batch_size=int(batch), batch_timeout=float(wait))
    litserve.LitServer(api, accelerator="cpu", workers_per_device=int(workers), timeout=60).run(
        host="127.0.0.1", port=int(port), generate_client_file=False, log_level="error"
    )

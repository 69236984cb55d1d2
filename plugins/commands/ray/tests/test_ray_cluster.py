"""On a cluster of this machine: two workers, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import functory_ray
from functory_sdk import Function

pytestmark = [pytest.mark.peer(name="ray"), pytest.mark.slow]
ROWS = 2000
HEARD = {"proxy_location": "HeadOnly", "http_options": {"host": "127.0.0.1", "port": 18431}}
"""One proxy: the nodes are one machine, where several would share a port, and one that comes or goes resets connections."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that computes nothing, and two nodes of one processor each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 200_000_000})
    nodes = [made.add_node(num_cpus=1, object_store_memory=100_000_000) for _ in range(2)]
    ray.init(address=made.address, log_to_driver=False)
    made.wait_for_nodes()
    try:
        yield made, nodes
    finally:
        ray.shutdown()
        made.shutdown()


def test_rows_keep_their_order_and_none_is_lost_or_twice_when_a_machine_is_killed(
    cluster: Any, folder: Path, mood: Function, tmp_path: Path
) -> None:
    import ray

    made, nodes = cluster
    texts = [f"the {('good', 'bad')[number % 2]} book of {number}" for number in range(ROWS)]
    data = ray.data.from_items([{"id": number, "text": text} for number, text in enumerate(texts)], override_num_blocks=50)
    found = functory_ray.map(folder, data.map_batches(slowly), batch=40)
    seen: list[dict[str, Any]] = []
    try:
        begun = time.monotonic()
        for row in found.iter_rows():
            seen.append(row)
            if len(seen) == 200:
                made.remove_node(nodes[0], allow_graceful=False)
                before = time.monotonic() - begun
        assert time.monotonic() - begun > before + 1, "much was left to do when the machine died"
        assert [row["id"] for row in seen] == list(range(ROWS)), "each once, in order"
        own = [one.label for one in mood.map(texts, progress=False)]
        assert [json.loads(row["output"])["label"] for row in seen] == own
        until(lambda: sum(node["Alive"] for node in ray.nodes()) == 2)  # the head and one worker
    finally:
        nodes[0] = made.add_node(num_cpus=1, object_store_memory=100_000_000)
        made.wait_for_nodes()


def slowly(batch: dict[str, Any]) -> dict[str, Any]:
    """Let a block take a moment, so that there is a middle."""
    time.sleep(0.2)
    return batch


def until(is_so: Any, seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.5)


def test_ray_serve_answers_as_the_server_does_and_goes_on_when_a_replica_is_killed(
    cluster: Any, folder: Path, mood: Function
) -> None:
    from ray import serve

    serve.start(**HEARD)
    serve.run(functory_ray.application({"mood": folder}, replicas=(2, 2)), route_prefix="/")
    url = "http://127.0.0.1:18431"
    try:
        assert ask(f"{url}/v1/functions/mood", b'"the good book"') == mood("the good book").json().encode()
        assert json.loads(ask(f"{url}/v1/functions"))["functions"][0]["name"] == "mood"
        assert "/v1/functions/mood" in json.loads(ask(f"{url}/openapi.json"))["paths"]
        answers, errors = load(url, lambda: kill_one(), seconds=25)
        assert set(answers) == {mood("the good book").json().encode()}
        assert len(errors) <= 4, f"of {len(answers)} only those with the replica that was killed fail: {errors}"
        until(lambda: running() == 2)  # a replica takes the place of the one that was killed
    finally:
        serve.shutdown()


def test_load_brings_another_replica_which_answers_alike(cluster: Any, folder: Path, mood: Function) -> None:
    from ray import serve

    serve.start(**HEARD)
    serve.run(functory_ray.application({"mood": folder}, replicas=(1, 2), ongoing=1), route_prefix="/")
    try:
        assert running() == 1
        with asking("http://127.0.0.1:18431", 8) as (answers, failed):
            until(lambda: running() == 2, seconds=150)  # Ray waits for 30 s whether the load stays
            count = len(answers)
            until(lambda: len(answers) > count + 50)
        assert set(answers) == {mood("the good book").json().encode()}
        assert not failed, failed
    finally:
        serve.shutdown()


def ask(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=60) as answer:
        return bytes(answer.read())


def load(url: str, kill: Any, seconds: float) -> tuple[list[bytes], list[str]]:
    """Ask from four threads, kill a replica in the middle, and return what was answered, and how requests failed."""
    with asking(url, 4) as (answers, failed):
        time.sleep(3)
        before = len(answers)
        kill()
        time.sleep(seconds - 3)
    assert len(answers) > before > 0
    return answers, failed


@contextmanager
def asking(url: str, threads: int) -> Iterator[tuple[list[bytes], list[str]]]:
    """Ask from several threads while the block runs; give what is answered, and how each request failed that did."""
    answers: list[bytes] = []
    failed, ended = list[str](), threading.Event()

    def work() -> None:
        while not ended.is_set():
            try:
                answers.append(ask(f"{url}/v1/functions/mood", b'"the good book"'))
            except OSError as error:  # an HTTPError, or a connection that breaks
                failed.append(repr(error))

    made = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for one in made:
        one.start()
    try:
        yield answers, failed
    finally:
        ended.set()
        for one in made:
            one.join(60)


def replicas() -> list[Any]:
    from ray.util.state import list_actors

    return [one for one in list_actors(filters=[("state", "=", "ALIVE")]) if one.class_name.startswith("ServeReplica")]


def running() -> int:
    from ray import serve

    states = serve.status().applications["default"].deployments["functory"].replica_states
    return sum(count for state, count in states.items() if state == "RUNNING")


def kill_one() -> None:
    os.kill(replicas()[0].pid, signal.SIGKILL)

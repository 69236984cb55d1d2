"""The server's routes by Ray Serve: replicas of one application, as many as there is work for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functory_ray.engine import ray
from functory_ray.travelling import Travelling, arrived
from functory_sdk import FunctoryError, OptionError, load

HEALTH_SECONDS = 5
"""How often a replica is asked whether it is well."""
FAILING = ("failing", "hanging")


def application(
    functions: Mapping[str, Path | str],
    *,
    replicas: int | tuple[int, int] = (1, 4),
    threads: int = 1,
    ongoing: int = 32,
    **more: Any,
) -> Any:  # Any: a ray.serve.Application
    """Return functions as an application of Ray Serve, with the routes of `functory serve`: ``ray.serve.run(application({…}))``.

    Each replica opens all of them, batches across its requests, and is proven by their golden examples.

    :param functions: by the names under which they are served: folders that every machine reaches, installed functions' names.
    :param replicas: how many, or the fewest and the most, between which Ray chooses by the requests under way.
    :param threads: of one replica, which are its processors too.
    :param ongoing: requests under way in a replica, at which there should be another.
    :param more: what the server's application takes besides: ``tokens``, ``domains``.
    :raises NotSupported: when Ray is not installed.
    :raises OptionError: when no function is named, or the fewest are more than the most.
    """
    serve = ray("serve")
    low, high = (replicas, replicas) if isinstance(replicas, int) else replicas
    if not functions:
        raise OptionError("no function is named.", do="give application({'sentiment': 'sentiment/'}).", field="functions")
    if not 0 < low <= high:
        raise OptionError(f"replicas are {low} to {high}.", do="give the fewest, 1 or more, and the most.", field="replicas")
    scaling = {"min_replicas": low, "max_replicas": high, "target_ongoing_requests": ongoing}
    deployment = serve.deployment(
        name="functory", autoscaling_config=scaling, max_ongoing_requests=8 * ongoing, ray_actor_options={"num_cpus": threads},
        health_check_period_s=HEALTH_SECONDS,
    )(serve.ingress()(Replica))  # fmt: skip
    places = {name: str(Path(place).resolve()) if Path(place).is_dir() else str(place) for name, place in functions.items()}
    return deployment.bind(places, threads, {"domains": ("*",), **more})


class Replica:
    """One process that serves all functions."""

    def __init__(self, places: Mapping[str, str], threads: int, more: Mapping[str, Any]) -> None:
        functions = {name: arrived(Travelling(place, {}), threads) for name, place in places.items()}
        self._app = load("commands", "serve").app(functions, **more)  # type: ignore[attr-defined]  # what functory-serve gives

    def __serve_build_asgi_app__(self) -> Any:
        """Return what answers, as Ray Serve asks for it."""
        return self._app

    def check_health(self) -> None:
        """Tell Ray Serve whether this replica is to be replaced.

        :raises FunctoryError: when a function of it fails or hangs.
        """
        states = self._app.state.service.states()
        wrong = [f"{name} is {state}" for name, state in states.items() if state in FAILING]
        if wrong:
            raise FunctoryError(f"{', '.join(wrong)}.", do="Ray Serve begins another replica.")

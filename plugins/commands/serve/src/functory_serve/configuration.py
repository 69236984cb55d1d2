"""The file that says what is served, and how: serve.toml."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from functory_sdk import OptionError, Options, read_options
from functory_serve.access import Token
from functory_serve.borders import ANY
from functory_serve.limits import Limits


def _network(said: str) -> str:
    """Return an address or a network as it is.

    :raises ValueError: when it is none.
    """
    if said != ANY:
        ipaddress.ip_network(said)
    return said


Domain = Annotated[str, Field(pattern=r"^(\*|[\w.-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?)$")]
Proxy = Annotated[str, AfterValidator(_network)]


class Configuration(Options):
    """What a server is started with."""

    host: str = Field(default="127.0.0.1", description="The address to listen at.")
    port: int = Field(default=8080, ge=0, le=65535, description="The port to listen at; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=256, description="Processes that take requests; one that ends is replaced.")
    threads: int = Field(
        default=0, ge=0, le=1024, description="Threads of one forward pass; the machine's cores when 0, which workers share."
    )
    logs: bool = Field(default=False, description="Whether each answer is written down on stderr: its id, status and seconds.")
    traces: bool = Field(default=False, description="Whether a span of each request is sent, as OpenTelemetry's variables say.")
    certificate: str = Field(default="", description="The file of a TLS certificate, with which the server speaks https alone.")
    key: str = Field(default="", description="The file of its key.")
    domains: tuple[Domain, ...] = Field(
        default=(), description="Names by which the server is reached, besides this machine's own; * for any."
    )
    proxies: tuple[Proxy, ...] = Field(
        default=(), description="Addresses, or networks, of proxies that are believed for whom they ask."
    )
    faces: tuple[str, ...] | None = Field(
        default=None, description="The faces by which it is spoken to besides, by name; all that are installed when None."
    )
    functions: dict[str, str] = Field(default={}, description="The name of each function, and its folder or installed name.")
    limits: Limits = Field(default=Limits(), description="What is taken on at most.")
    tokens: tuple[Token, ...] = Field(default=(), description="Who may ask; everyone when empty.")


def configuration(file: Path) -> Configuration:
    """Return what a file says; folders in it are relative to its own.

    :raises OptionError: when it is no TOML, or says what is not known.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"the file is no TOML: {error}.", where=str(file), do="see the README of functory-serve.") from None
    found = read_options(Configuration, data, "the server", str(file))
    places = {name: _place(place, file.parent) for name, place in found.functions.items()}
    files = {name: str(file.parent / place) if (place := getattr(found, name)) else "" for name in ("certificate", "key")}
    return found.model_copy(update={"functions": places, **files})


def _place(place: str, folder: Path) -> str:
    """Return where a function lies; an installed one has no folder."""
    return str(folder / place) if "/" in place or (folder / place).is_dir() else place

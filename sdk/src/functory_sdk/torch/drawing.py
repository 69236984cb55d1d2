"""Random numbers of one's own: what torch draws in a thread, from a generator that no other thread and no user knows.

Layers draw their first values, and dropout its masks, from generators that belong to the whole process. Seeding those
changes what the user's program draws next, and of two threads that train neither ends in the bits that it ends in alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode, _get_current_function_mode
from torch.utils._python_dispatch import TorchDispatchMode

ATEN: Any = torch.ops.aten  # its operators are found by name
_innermost: Any = _get_current_function_mode  # without types
DRAWS = torch.Tag.nondeterministic_seeded
ATTENTION = "scaled_dot_product_attention"
SCALED = functional.scaled_dot_product_attention
TORCHS_OWN = {"torch.nn.functional", "torch._tensor", "torch.functional"}
"""Modules whose functions call, of what draws, nothing but what their code names. A backward pass draws nothing."""
SETTINGS = {"_set_grad_enabled", "_parse_to"}
"""What torch calls without a tensor at every turn, and lists nowhere."""


@contextmanager
def drawing(seed: int) -> Iterator[None]:
    """Let whatever torch draws within the block, in this thread, come from generators of the seed.

        with drawing(7):
            layer = nn.Linear(8, 2)  # as after torch.manual_seed(7), and the process's generators stay as they were

    Within another, the inner block alone counts. Out of reach are what a graphics processor draws inside recurrent layers
    and `nn.MultiheadAttention`, and recomputed activations (`torch.utils.checkpoint`): leave their dropout at 0.
    """
    mode, before = _Drawing(seed), _here.drawing
    _here.drawing = mode
    try:
        with mode:
            yield
    finally:
        _here.drawing = before


@contextmanager
def not_drawing() -> Iterator[None]:
    """Take the innermost `drawing` away within the block, where nothing draws and many small calls would be looked at."""
    mode = _here.drawing
    if mode is None or _innermost() is not mode:  # somebody's mode lies upon it
        yield
        return
    _here.drawing = None
    mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        mode.__enter__()  # type: ignore[no-untyped-call]
        _here.drawing = mode


class _Here(threading.local):
    """What counts in this thread."""

    drawing: _Drawing | None = None


_here = _Here()


class _Drawing(TorchFunctionMode):
    """Looks closely at those calls alone that may draw: looking at every operator costs a small network half its speed."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._operators = _Operators(seed)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:  # Any: torch's own protocol
        given = kwargs or {}
        if _here.drawing is not self or not _may_draw(func):
            return func(*args, **given)
        if func is functional.dropout:
            return self._operators.dropout(*args, **given)
        if func is SCALED and not _dropped_share(*args, **given):
            return func(*args, **given)
        with self._operators:
            return _attention(*args, **given) if func is SCALED else func(*args, **given)


@cache
def _may_draw(func: Callable[..., Any]) -> bool:
    """Whether a call can come to an operator that draws."""
    if isinstance(func, FunctionType):
        return func.__module__ not in TORCHS_OWN or _names_a_draw(func)
    name = getattr(func, "__name__", "")
    if name.startswith("__") or name in SETTINGS:
        return False
    is_listed = hasattr(ATEN, name)
    # a tensor's own methods that draw are operators; of what else torch does not list, nothing is known
    return _draws(name) if is_listed else getattr(func, "__objclass__", None) is not torch._C.TensorBase


def _names_a_draw(func: FunctionType) -> bool:
    """Whether a function in Python, or another that it calls by its name, names an operator that draws."""
    seen, waiting = {func}, [func]
    while waiting:
        one = waiting.pop()
        named = _named(one.__code__)
        if any(map(_draws, named)):
            return True
        called = {found for name in named if isinstance(found := one.__globals__.get(name), FunctionType)} - seen
        seen |= called
        waiting += called
    return False


def _named(code: CodeType) -> set[str]:
    """Return the names that code uses, that of functions within it too."""
    inner = (_named(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)


@cache
def _draws(name: str) -> bool:
    """Whether torch lists an operator of that name that draws."""
    if name == ATTENTION:
        return True
    packet: Any = None if name.startswith("__") else getattr(ATEN, name, None)
    overloads = packet.overloads() if hasattr(packet, "overloads") else ()
    return any(DRAWS in getattr(packet, overload).tags for overload in overloads)


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's modes have no types
    """Gives each operator that draws a generator, one for each device."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return that torch need not import its compiler to be told to leave this alone: a second or more in every process."""
        return False

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seed = seed
        self._generators: dict[torch.device, torch.Generator] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:  # Any: torch's own protocol
        given = dict(kwargs or {})
        if DRAWS not in func.tags:
            return func(*args, **given)
        device = _device(args, given)
        if device.type == "meta":  # nothing is drawn there; where torch is asked to fill it, it imports its compiler first
            return args[0] if func._schema.name.endswith("_") else func(*args, **given)
        if func is ATEN.native_dropout.default:
            return _dropped(self._of(device), *args)
        drawn = _with_generator(func)
        if drawn is None or _is_given(drawn, args, given):
            return func(*args, **given)
        return drawn(*args, **{**given, "generator": self._of(device)})

    def dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """Drop, without a look at each operator, as most layers of a network do at each step."""
        if not 0 < p < 1 or not training or inplace or input.device.type != "cpu" or not input.numel():
            with self:
                return functional.dropout(input, p, training, inplace)
        kept = torch.empty_like(input).bernoulli_(1 - p, generator=self._of(input.device))
        return input * kept.div_(1 - p)

    def _of(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self._seed)
        return self._generators[device]


@cache
def _with_generator(func: Any) -> Any:  # Any: an operator
    """Return an operator, or the one beside it, that takes a generator; None where there is none."""
    names = _names(func)
    if "generator" in names:
        return func
    beside = (getattr(func.overloadpacket, overload) for overload in func.overloadpacket.overloads())
    return next((one for one in beside if set(_names(one)) == {*names, "generator"}), None)


def _names(func: Any) -> list[str]:
    return [argument.name for argument in func._schema.arguments]


def _is_given(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether the caller has a generator of its own for this."""
    place = _names(func).index("generator")
    return kwargs.get("generator") is not None or (place < len(args) and args[place] is not None)


def _device(args: Sequence[Any], kwargs: Mapping[str, Any]) -> torch.device:
    """Return where an operator works."""
    found = next((one.device for one in (*args, *kwargs.values()) if isinstance(one, Tensor)), kwargs.get("device"))
    device = torch.device(found or "cpu")
    is_current = device.type == "cuda" and device.index is None
    return torch.device("cuda", torch.cuda.current_device()) if is_current else device


def _dropped(
    generator: torch.Generator, value: Tensor, share: float, is_training: bool | None
) -> tuple[Tensor, Tensor]:
    """Return what `native_dropout`, which takes no generator, returns: the values that are kept, scaled; and which they are."""
    if is_training is False or not share:
        return value.clone(), torch.ones_like(value, dtype=torch.bool)
    kept = torch.empty_like(value, dtype=torch.bool).bernoulli_(1 - share, generator=generator)
    return value * kept * (1 / (1 - share) if share < 1 else 0.0), kept


def _dropped_share(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0, **others: Any
) -> float:
    """Return how much of its weights an attention drops."""
    return dropout_p


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Return scaled dot-product attention; its parts where a fused kernel would draw by itself."""
    options: dict[str, Any] = {"is_causal": is_causal, "scale": scale, "enable_gqa": enable_gqa}
    if not dropout_p or query.device.type == "cpu":
        whole: Tensor = ATEN.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, **options)
        return whole
    parts: Tensor = ATEN._scaled_dot_product_attention_math(query, key, value, attn_mask, dropout_p, **options)[0]
    return parts

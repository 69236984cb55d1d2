"""The contract of backbones: a pretrained model M_θ with its tokenizer.

Written in two modules: ``backbone.py`` (numpy only: where the weights lie, the tokenizer, the facts)
and ``model.py`` (torch: the network), so that a finished function never needs the training stack.
"""

from __future__ import annotations

import sys
import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from functory.contracts.component import Component, O
from functory.contracts.rows import Port
from functory.errors import ArtefactCorrupt

if TYPE_CHECKING:
    from functory.machine.declared import Declared
    from functory.reading.tokenizer import Tokenizer

R = TypeVar("R")  # what was read: facts, a tokenizer, a network
Architecture = Literal["encoder", "decoder", "encoder-decoder"]
Pooling = Literal["mean", "first", "last"]
_LOADING = threading.RLock()  # one for all: libraries change what belongs to the whole process while they load a model


_FILES = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors", "*/config.json")


class BackboneSpec(BaseModel):
    """The facts about a backbone that outlive it: they stand in every manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str = Field(description="How it is asked for: a name, or a name with a place.")
    architecture: Architecture
    family: str = Field(description="The network's family, as transformers names it: bert, llama, t5 …")
    width: int = Field(gt=0, description="Elements of one hidden state.")
    layers: int = Field(gt=0, description="Layers that can be cut between; both stacks of an encoder-decoder together.")
    decoder_layers: int = Field(default=0, ge=0, description="How many of them are an encoder-decoder's decoder; 0 elsewhere.")
    vocabulary: int = Field(gt=0)
    context: int = Field(gt=0, description="The longest row, in tokens, special ones included.")
    pad_id: int = Field(ge=0)
    mask_id: int | None = Field(default=None, description="The token that stands for one to be predicted.")
    end_ids: tuple[int, ...] = Field(default=(), description="Tokens that end a generation.")
    start_id: int | None = Field(default=None, description="The first token of an encoder-decoder's output.")
    first_ids: tuple[int, ...] = Field(default=(), description="Tokens that every output begins with, after `start_id`.")
    never_ids: tuple[int, ...] = Field(default=(), description="Tokens that are never written, however likely they are.")
    has_token_types: bool = Field(default=False, description="Rows hold token_type_ids (pairs of texts).")
    has_logits: bool = Field(default=False, description="The network predicts tokens.")
    has_masked_logits: bool = Field(default=False, description="The weights hold a head that predicts masked tokens.")
    pooling: Pooling = Field(default="mean", description="How the hidden states of a row become one vector.")
    is_normalised: bool = Field(
        default=False, description="Those vectors are brought to one length, as sentence encoders are trained."
    )
    prefixes: dict[str, str] = Field(
        default={},
        description="What the model was trained to read before a text, by the text's role: query → 'query: '; under '' what "
        "stands before a text of any other role, or of none.",
    )
    chat_template: str = Field(default="", description="Jinja template of a conversation; empty for a base model.")
    languages: tuple[str, ...] = Field(
        default=(), description="Languages that it was trained for, as BCP 47 codes them; none where nobody says."
    )
    parameters: int = Field(default=0, ge=0, description="Numbers that the weights hold; 0 where nobody counted.")
    revision: str = Field(default="", description="The exact version of the weights, where a place has versions.")
    licence: str = Field(default="", description="SPDX name of the weights' licence.")
    weights_hash: str = Field(description="sha256 of the weights: what φ was fitted to.")

    @property
    def encoder_layers(self) -> int:
        """Layers of an encoder, alone or before a decoder; 0 of a decoder."""
        return 0 if self.architecture == "decoder" else self.layers - self.decoder_layers

    @property
    def points(self) -> int:
        """The last cut point. Point 0 is before everything, 1 after the embeddings, `points` after the last norm.

        Each stack has an embedding step, its layers and a final step.
        """
        stacks = 2 if self.architecture == "encoder-decoder" else 1
        return self.layers + 2 * stacks

    def prefix(self, role: str = "") -> str:
        """Return what stands before a text of a role: the role's own, where the model knows it."""
        return self.prefixes.get(role, self.prefixes.get("", ""))

    def ports(self, texts: int = 1) -> tuple[Port, ...]:
        """Return what the network reads of a row.

        :param texts: how many texts a row holds, each read by itself: the arrays of several are stacked, (texts, tokens).
        """
        ids = Port("input_ids", "int64", ("tokens",), self.pad_id)
        ports = [ids, Port("attention_mask", "int64", ("tokens",), 0)]
        if self.has_token_types:
            ports.append(Port("token_type_ids", "int64", ("tokens",), 0))
        if self.architecture == "encoder-decoder":
            ports.append(Port("decoder_input_ids", "int64", ("target",), self.pad_id))
            ports.append(Port("decoder_attention_mask", "int64", ("target",), 0))
        return tuple(ports if texts == 1 else (replace(port, axes=(texts, *port.axes)) for port in ports))


class Backbone(Component[O]):
    """A pretrained model with its tokenizer. Loaded once per process and shared by every function on it.

    :param options: the backbone's own.
    :param place: what follows the colon of a reference: a folder, a hub id; empty for embedded ones.
    """

    kind: ClassVar[str] = "backbones"
    may_fetch: bool = False
    """Whether the user allowed to fetch the weights from a network. Set when it is opened; nothing is asked without."""
    _network: Any = None  # Any: as `network`
    _opened_as: str | None = None

    def __init__(self, options: O | None = None, place: str = "") -> None:
        super().__init__(options)
        self.place = place

    @property
    def reference(self) -> str:
        """How this backbone is asked for."""
        return f"{self.name}:{self.place}" if self.place else self.name

    @classmethod
    def declared(cls) -> Declared:
        """Return what ``backbones.json`` beside this class's module says: what `functory list` tells without importing it."""
        from functory.machine.declared import Declared, declared_in

        file = getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
        return declared_in(str(Path(file).parent), cls.name) or Declared()

    @abstractmethod
    def locate(self) -> Path:
        """Return the folder of the weights: an explicit one, the installed package's, or the cache's.

        Cheap and without side effects: `functory doctor` and tests ask it. No network is asked here; and elsewhere
        only where `may_fetch` is true.

        :raises WeightsMissing: when there is none and none may be fetched; its `do` is the one line that brings them.
        """

    def files(self) -> Sequence[Path]:
        """Return the files that decide what this backbone computes: what is kept of it is kept under their content.

        By default those of the folder of `locate` that hold JSON, templates, word lists or weights, and the config.json of
        each folder in it; or the one file that it gives. None where there is nothing yet.

        :raises WeightsMissing: as `locate` does.
        """
        place = self.locate()
        if place.is_file():
            return [place]
        return [file for pattern in _FILES for file in sorted(place.glob(pattern)) if file.is_file()]

    def contents(self) -> str:
        """Return a hash of what `files` hold now and of the code that reads them.

        A file that is surely unchanged is not read again.
        """
        from functory.machine.contents import code_hash, files_hash

        files = self.files()
        code = code_hash(*(cls.__module__ for cls in type(self).__mro__ if issubclass(cls, Backbone)))
        return sha256(f"{files_hash(self.locate(), files)} {code}".encode()).hexdigest()

    def opened_as(self, contents: str) -> None:
        """Hold on to what the files held when this backbone was opened: facts and weights of two states do not mix."""
        self._opened_as = contents

    def unmixed(self, read: Callable[[], R]) -> R:
        """Read something of these files, unless they are others by now than when this backbone was opened.

        :raises ArtefactCorrupt: when they are.
        """
        if not self._opened_as:
            return read()
        try:
            found = read()
        except Exception as error:
            changed = self._changed()
            if changed is None:
                raise
            raise changed from error
        changed = self._changed()
        if changed is not None:
            raise changed
        return found

    def _changed(self) -> ArtefactCorrupt | None:
        """Return the error for files that are others by now; None where they are the same."""
        if self.contents() == self._opened_as:
            return None
        return ArtefactCorrupt(
            f"the files of the backbone {self.reference!r} changed while they were read.",
            where=str(self.locate()),
            do="do it again, once nothing writes there.",
        )

    @cached_property
    def spec(self) -> BackboneSpec:
        """The facts, read from configuration files without torch."""
        return self.unmixed(self.read_spec)

    @abstractmethod
    def read_spec(self) -> BackboneSpec:
        """Read the facts (called once)."""

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; never reconfigured after this."""
        return self.unmixed(self.read_tokenizer)

    @abstractmethod
    def read_tokenizer(self) -> Tokenizer:
        """Read the tokenizer from its file (called once)."""

    @property
    def network(self) -> Any:  # Any: a functory_sdk.torch.Network; torch is not imported here
        """The network, frozen and in evaluation mode. Never changed: adaptations get a structural copy."""
        if self._network is None:
            with _LOADING:
                if self._network is None:
                    network = self.unmixed(self.load_network)
                    network.made_of = self.contents()
                    network.requires_grad_(False)
                    self._network = network.eval()
        return self._network

    @abstractmethod
    def load_network(self) -> Any:  # Any: as above
        """Load the weights into a network; imports torch (called once)."""

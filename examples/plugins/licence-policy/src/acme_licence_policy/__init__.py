"""Refuses backbones whose licence is not allowed."""

import os
from collections.abc import Generator
from typing import Any

from functory_sdk import Backbone, Refused, hookimpl

ALLOWED = "Apache-2.0,MIT,BSD-3-Clause"


class LicencePolicy:
    """Wraps `load_backbone`; $ACME_ALLOWED_LICENCES names the licences, SPDX, with commas between."""

    @hookimpl(wrapper=True)
    def load_backbone(self) -> Generator[None, Backbone[Any], Backbone[Any]]:
        backbone = yield
        allowed = os.environ.get("ACME_ALLOWED_LICENCES", ALLOWED).split(",")
        licence = backbone.spec.licence or "not known"
        if licence not in allowed:
            raise Refused(
                f"the licence of backbone {backbone.reference!r} is {licence}; allowed: {', '.join(allowed)}.",
                do="choose another backbone, or ask who keeps $ACME_ALLOWED_LICENCES.",
            )
        return backbone

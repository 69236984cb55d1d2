"""The adaptation keeps its contract."""

from typing import ClassVar

from functory_sdk.testing import AdaptationSuite


class TestDescriptions(AdaptationSuite):
    component = "descriptions"
    expected_failures: ClassVar[dict[str, str]] = {
        "test_gradients_reach_phi_and_nothing_else": "φ is where the descriptions are: no gradient teaches it",
        "test_groups_are_never_parted": "a description stands for a label, and a head whose loss compares rows is refused",
    }

"""What every component of its kind owes."""

import pytest

from functory_sdk.testing import HookSuite


class TestLicencePolicy(HookSuite):
    component = "licence-policy"
    refuses = True

    @pytest.fixture(autouse=True)
    def _allow_little(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ACME_ALLOWED_LICENCES", "Proprietary-Of-Nobody")

"""The clock that leases are measured by."""

import shutil
import subprocess
import sys

import pytest

_APART = "import time; from core.clock import SystemClock; print(SystemClock().monotonic() - time.monotonic())"
# A namespace in which the machine was, as it were, suspended for so many seconds.
_SUSPENDED = 100_000
_IN_NAMESPACE = ["unshare", "--map-root-user", "--time", "--boottime", str(_SUSPENDED)]


def _may_be_suspended() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_IN_NAMESPACE, "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not _may_be_suspended(), reason="this machine lends no time namespace")
def test_the_seconds_in_which_the_machine_was_suspended_count() -> None:
    """A lease that slept with its machine must have ended when it wakes."""
    run = subprocess.run([*_IN_NAMESPACE, sys.executable, "-c", _APART], check=True, capture_output=True, text=True)
    assert float(run.stdout) == pytest.approx(_SUSPENDED, abs=1.0)

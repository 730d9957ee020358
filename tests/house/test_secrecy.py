"""What must never stand in the repository: hosts of package registries, machine paths, pickle."""

import re
import subprocess

from tests.house.sources import ROOT

REGISTRIES = ("pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "deb." + "debian", "proxy." + "golang")
PATHS = ("/" + "work/", "/" + "root/", "/" + "home/[a-z]")


def test_no_file_names_a_package_registry_or_a_machine_path() -> None:
    pattern = "|".join([*(re.escape(host) for host in REGISTRIES), *PATHS])
    assert _grep(pattern) == ""


def test_nothing_is_pickled() -> None:
    """A serializer that runs code would make write access to Redis a way in."""
    assert _grep(r"^\s*(import|from) pickle|PickleSerializer\(", "core", "server", "workers") == ""


def _grep(pattern: str, *paths: str) -> str:
    found = subprocess.run(
        ["git", "grep", "-n", "-I", "-E", pattern, "--", *(paths or (".",))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout

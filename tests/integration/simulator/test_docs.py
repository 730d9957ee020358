"""The page about the simulator: every command of it is run, against a simulator that runs for nothing else."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from simulator.settings import Settings, as_json
from tests.helpers.processes import Processes

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
COMMANDS = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


@pytest.mark.skipif(shutil.which("curl") is None, reason="the commands are written for curl")
def test_every_command_of_the_page_succeeds(tmp_path: Path) -> None:
    with Processes(directory=tmp_path, settings={}) as processes:
        _, url = processes.start_simulator(settings={"SIMULATOR_PROFILE": "fast"})
        script = COMMANDS.replace("http://127.0.0.1:8300", url).replace("curl -s", "curl -sS --fail-with-body")
        count = script.count("curl -sS")
        done = subprocess.run(
            ["bash", "-euc", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 0, (done.stdout[-500:], done.stderr)
    assert count > 40


def test_every_setting_is_named_on_the_page() -> None:
    groups = as_json(Settings())
    names = [name for group in groups.values() if isinstance(group, dict) for name in group]
    missing = [name for name in [*names, *groups] if f"`{name}`" not in PAGE and name != "profile"]
    assert missing == []

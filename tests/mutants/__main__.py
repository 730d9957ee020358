"""Applies each fault to a copy of the checkout, runs the tests that guard against it, and shows that they fail."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
TESTS_FAILED = 1  # pytest's exit code for red tests; other codes mean that nothing was proven


def main() -> int:
    """Runs the control first, then every fault; returns 0 when the control is green and each fault is caught."""
    chosen = _chosen(_arguments().fault)
    with tempfile.TemporaryDirectory(prefix="chappe-mutants-") as folder:
        copy = Path(folder) / "checkout"
        _copy_checkout(copy)
        if _run_tests(copy, sorted({test for fault in chosen for test in fault.tests})) != 0:
            _say("control", "RED", "the guarding tests fail without any fault")
            return 1
        _say("control", "green", "all guarding tests pass without a fault")
        escaped = [fault for fault in chosen if not _is_caught(copy, fault)]
    print(f"{len(chosen) - len(escaped)} of {len(chosen)} faults caught")
    return 1 if escaped else 0


def _is_caught(copy: Path, fault: Fault) -> bool:
    target = copy / fault.path
    original = target.read_text(encoding="utf-8")
    if original.count(fault.old) != 1:
        _say(fault.name, "STALE", f"the text to change stands {original.count(fault.old)} times in {fault.path}")
        return False
    target.write_text(original.replace(fault.old, fault.new), encoding="utf-8")
    try:
        code = _run_tests(copy, fault.tests)
    finally:
        target.write_text(original, encoding="utf-8")
    _say(fault.name, "caught" if code == TESTS_FAILED else f"ESCAPED (pytest said {code})", ", ".join(fault.tests))
    return code == TESTS_FAILED


def _run_tests(copy: Path, tests: Sequence[str]) -> int:
    paths = os.pathsep.join(str(copy / part) for part in ("", "gen", "client"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, TESTS_FAILED):
        print(done.stdout[-2000:], done.stderr[-2000:])
    return done.returncode


def _copy_checkout(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    shutil.copytree(ROOT / "gen/buf", copy / "gen/buf", dirs_exist_ok=True)


def _chosen(names: Sequence[str]) -> list[Fault]:
    unknown = set(names) - {fault.name for fault in FAULTS}
    if unknown:
        sys.exit(f"no such fault: {', '.join(sorted(unknown))}")
    return [fault for fault in FAULTS if not names or fault.name in names]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("fault", nargs="*", help="names of faults; all when none is given")
    return parser.parse_args()


def _say(name: str, verdict: str, remark: str) -> None:
    print(f"{name:32} {verdict:10} {remark}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The command: one run, or the controls; prints tables and exits 1 when a promise was broken."""

import argparse
import secrets
import sys
from dataclasses import replace
from pathlib import Path

from tests.chaos import controls, plans, report
from tests.chaos.mechanisms import MECHANISMS, QUICK
from tests.chaos.plans import Plan
from tests.chaos.run import Outcome, run


def main() -> int:
    """Returns 0 when every promise held, 1 when not, 2 when a run did not end in time."""
    try:
        return _go()
    except TimeoutError:
        print("FAILED: the run did not end in time", flush=True)
        return 2


def _go() -> int:
    arguments = _arguments()
    plan = _plan(arguments)
    print(f"seed {arguments.seed}", flush=True)
    if arguments.controls:
        return _control(plan, tuple(arguments.mechanisms or MECHANISMS), seed=arguments.seed)
    if arguments.without and MECHANISMS[arguments.without].run != QUICK:
        plan = plans.DIRECTED[MECHANISMS[arguments.without].run]
    return _show(run(plan, seed=arguments.seed, without=arguments.without, keep=arguments.keep, say=_say))


def _control(plan: Plan, names: tuple[str, ...], *, seed: int) -> int:
    made = controls.run_all(plan, names, seed=seed, say=_say)
    print(controls.table(made), flush=True)
    return 0 if all(control.proves for control in made) else 1


def _show(outcome: Outcome) -> int:
    print(f"\n{report.table(outcome)}\n\n{report.summary(outcome)}\n", flush=True)
    for problem in outcome.verdict.problems:
        print(f"FAILED: {problem}")
    for difference in outcome.verdict.differences[:20]:
        print(f"  {difference}")
    print("The gate is shut." if outcome.verdict.problems else "The gate is passed.", flush=True)
    return 1 if outcome.verdict.problems else 0


def _plan(arguments: argparse.Namespace) -> Plan:
    plan = plans.QUICK if arguments.quick else plans.FULL
    if arguments.scenario:
        plan = plans.DIRECTED[arguments.scenario]
    if arguments.messages:
        plan = replace(plan, messages=arguments.messages)
    return replace(plan, faults=tuple(arguments.faults)) if arguments.faults else plan


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    add = parser.add_argument
    add("--messages", type=int, help="how many contacts; 100,000, or 2,000 with --quick")
    add("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the faults' order; random by default")
    add("--faults", nargs="+", choices=plans.EVERY_FAULT, help="only these kinds")
    add("--quick", action="store_true", help="2,000 messages, every time scaled down, under three minutes")
    add("--without", choices=sorted(MECHANISMS), default="", help="take this mechanism out of the workers")
    add("--scenario", choices=sorted(plans.DIRECTED), help="a run directed at one mechanism")
    add("--keep", type=Path, help="keep data and logs in this folder")
    add("--controls", action="store_true", help="run each mechanism's control, print both figures")
    add("--mechanisms", nargs="+", choices=sorted(MECHANISMS), help="with --controls: only these")
    return parser.parse_args()


def _say(what: str) -> None:
    print(f"· {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Control runs: without each mechanism the gate must fail; what fails with it would prove nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import plans
from tests.chaos.mechanisms import MECHANISMS, QUICK
from tests.chaos.plans import Plan
from tests.chaos.run import Outcome, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The same run with a mechanism and without it."""

    mechanism: str
    with_it: Outcome
    without_it: Outcome

    @property
    def proves(self) -> bool:
        """Whether the run passes with the mechanism and fails without."""
        return not self.with_it.verdict.problems and bool(self.without_it.verdict.problems)


def run_all(everything: Plan, names: tuple[str, ...], *, seed: int, say: Callable[[str], None]) -> list[Control]:
    """Runs the controls of these mechanisms; runs that several share are made once."""
    made: dict[str, Outcome] = {}
    found = []
    for name in names:
        title = MECHANISMS[name].run
        plan = everything if title == QUICK else plans.DIRECTED[title]
        if title not in made:
            say(f"control: {title}, with every mechanism")
            made[title] = run(plan, seed=seed, say=say)
        say(f"control: {title}, without {name}")
        found.append(
            Control(mechanism=name, with_it=made[title], without_it=run(plan, seed=seed, without=name, say=say))
        )
    return found


def table(controls: list[Control]) -> str:
    """Returns both figures of each control as Markdown."""
    lines = ["| mechanism | run | with it | without it | proves it |", "| --- | --- | --- | --- | --- |"]
    for control in controls:
        figures = f"{_figures(control.with_it)} | {_figures(control.without_it)}"
        title = MECHANISMS[control.mechanism].run
        lines.append(f"| {control.mechanism} | {title} | {figures} | {'yes' if control.proves else '**no**'} |")
    return "\n".join(lines)


def _figures(outcome: Outcome) -> str:
    verdict = outcome.verdict
    return (
        f"{verdict.lost} lost, {verdict.doubled} doubled, {verdict.in_doubt} in doubt, "
        f"{verdict.untrue} untrue, {verdict.deadlocks} deadlocks"
    )

"""How long the machines run: a few seconds in a quick run, thousands of steps with `--hypothesis-profile=nightly`."""

from hypothesis import settings

settings.register_profile("nightly", max_examples=2000, stateful_step_count=60, deadline=None)

"""The crash gate: a campaign under a kill loop, judged from WhatsApp's own list; `python -m tests.chaos --help`."""

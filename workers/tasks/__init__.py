"""What workers do; a task carries ids, never content.

- Tasks that are rung for, and that the keeper does where nobody hears the bell: `campaigns` (its expansion alone),
  `messages`, `receipts`, `urgent`.
- Tasks of the keeper alone: `recounts`, `senders`, `templates`, `upkeep`, and the rest of `campaigns`.
- All others are steps of applying webhooks, of which other tasks and the pump use some, too.
"""

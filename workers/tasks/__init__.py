"""One module for each noun's tasks; a task carries ids, never content.

The bell rings for `campaigns`, `messages`, `receipts` and `urgent`; `upkeep`, `senders`, `templates` and `recounts` are
the keeper's. The others are steps of applying webhooks.
"""

"""Who waits for a lock: how a test knows that others have come to where they hold each other up."""

from typing import Final

# How many connections to the database that is asked wait for a lock, of a row or another.
WAITERS: Final = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

-- How the rest of a transaction goes about its statements.

-- name: enter_by_keys
-- Has the rest of the transaction enter tables by their keys: on one that was just filled and never analysed, the planner
-- would read all of it for every batch.
SELECT set_config('enable_seqscan', 'off', true);

-- name: bound_waits
-- Has the transaction wait for no lock longer than $1.
SELECT set_config('lock_timeout', $1, true);

-- name: bound_standstill
-- Has the transaction ended, with its connection, when it does nothing for longer than $1.
SELECT set_config('idle_in_transaction_session_timeout', $1, true);

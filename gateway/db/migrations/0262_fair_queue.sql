-- The more of an account's clients wait, the later its next one comes: one account's burst holds up no other's calls.

CREATE INDEX callmatrix_jobs_account ON procrastinate_jobs (split_part(lock, ' ', 1)) WHERE status = 'todo';

-- How many of an account's jobs wait, 500 at the most. Locks begin with the account.
CREATE FUNCTION callmatrix_jobs_waiting(account text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer FROM (
        SELECT FROM procrastinate_jobs WHERE status = 'todo' AND split_part(lock, ' ', 1) = account LIMIT 500
    ) AS waiting
$$;

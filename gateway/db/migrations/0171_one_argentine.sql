-- A mobile of Argentina was another client with the 9 after +54, which only calls from abroad have. It is one client now,
-- without it: calls, cases and orders of both are that client's. The directory's rows follow with the next load.
UPDATE inbox SET client = '+54' || substr(client, 5) WHERE client ~ '^\+549\d{10}$';
UPDATE call SET client = '+54' || substr(client, 5) WHERE client ~ '^\+549\d{10}$';
UPDATE decision SET client = '+54' || substr(client, 5) WHERE client ~ '^\+549\d{10}$';
UPDATE effect SET client = '+54' || substr(client, 5) WHERE client ~ '^\+549\d{10}$';

-- One open case per client: of two, the later one is the earlier one's continuation and is closed.
WITH open_case AS (
    SELECT account_id, case_id, opened_at, regexp_replace(client, '^\+549(\d{10})$', '+54\1') AS client
    FROM missed_case WHERE state = 'open' AND client ~ '^\+54\d{10,11}$'
)
UPDATE missed_case m SET state = 'closed', closed_at = now(), escalate_at = NULL
FROM open_case later JOIN open_case earlier
  ON earlier.account_id = later.account_id AND earlier.client = later.client
 AND (earlier.opened_at, earlier.case_id) < (later.opened_at, later.case_id)
WHERE m.account_id = later.account_id AND m.case_id = later.case_id;
UPDATE missed_case SET client = '+54' || substr(client, 5) WHERE client ~ '^\+549\d{10}$';

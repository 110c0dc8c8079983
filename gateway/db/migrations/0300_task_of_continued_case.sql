-- 0171 closed the later of two open cases of one Argentine client, and left its task open in the CRM: nobody would have
-- completed it any more. Its completion is ordered as that of any closed case. Where the account is not on it waits for a
-- reactivation, as everything does; a task that was never made needs none.
INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", after, state)
SELECT later.account_id, 'case:' || later.case_id || ':done', task.decision_id, task.call_id, later.client, 1,
    'change_task',
    jsonb_build_object('do', 'change_task', 'task', task.effect_key, 'is_completed', true, 'result',
        CASE WHEN a.settings->>'language' = 'en' THEN 'The client''s earlier missed-call task goes on in place of this one.'
        ELSE 'Вместо этой задачи продолжается более ранняя задача этого клиента.' END),
    ARRAY[task.effect_key], CASE WHEN a.state = 'on' THEN 'waiting' ELSE 'held' END
FROM missed_case later
JOIN account a ON a.account_id = later.account_id
JOIN effect task ON task.account_id = later.account_id AND task.effect_key = 'case:' || later.case_id || ':task'
    AND task.state IN ('waiting', 'sending', 'unknown', 'held', 'done')
WHERE later.state = 'closed' AND later.closed_by_call IS NULL AND later.closed_by IS NULL
  AND later.client ~ '^\+54\d{10}$'
  AND EXISTS (
      SELECT 1 FROM missed_case earlier
      WHERE earlier.account_id = later.account_id AND earlier.client = later.client
        AND (earlier.opened_at, earlier.case_id) < (later.opened_at, later.case_id)
        AND (earlier.closed_at IS NULL OR earlier.closed_at > later.closed_at))
ON CONFLICT (account_id, effect_key) DO NOTHING;

-- What was emptied of a call and came back with a later message of it is emptied once more.

UPDATE inbox i SET raw = '', client = CASE WHEN 'number' = ANY(c.emptied) THEN NULL ELSE i.client END,
    events = (SELECT coalesce(jsonb_agg(event
            - CASE WHEN 'number' = ANY(c.emptied) THEN '{client}'::text[] ELSE '{}' END
            - CASE WHEN 'recordings' = ANY(c.emptied) THEN '{recording}'::text[] ELSE '{}' END
            - CASE WHEN 'params' = ANY(c.emptied) THEN '{params}'::text[] ELSE '{}' END ORDER BY place), '[]')
        FROM jsonb_array_elements(i.events) WITH ORDINALITY AS told (event, place))
FROM call c
WHERE c.emptied <> '{}' AND i.account_id = c.account_id AND i.connection_id = c.connection_id AND i.call_key = c.call_key
    AND i.state IN ('applied', 'ignored') AND (i.raw <> '' OR i.client IS NOT NULL);

UPDATE call SET client = CASE WHEN 'number' = ANY(emptied) THEN NULL ELSE client END, facts = facts
    || CASE WHEN 'number' = ANY(emptied) THEN '{"client": null}'::jsonb ELSE '{}' END
    || CASE WHEN 'recordings' = ANY(emptied) THEN '{"recording": null, "recordings": []}'::jsonb ELSE '{}' END
    || CASE WHEN 'params' = ANY(emptied) THEN '{"params": {}}'::jsonb ELSE '{}' END
WHERE emptied <> '{}' AND ('number' = ANY(emptied) AND (client IS NOT NULL OR facts->>'client' IS NOT NULL)
    OR 'recordings' = ANY(emptied) AND facts->'recordings' <> '[]'::jsonb
    OR 'params' = ANY(emptied) AND facts->'params' <> '{}'::jsonb);

-- outside a transaction
-- Which changes still hold names, numbers and texts of clients: they are emptied when their days are over.
CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_event_values ON crm_event (account_id, received_at)
    WHERE aspect IN ('name', 'numbers', 'fields') AND new_value NOT IN ('', '{}');

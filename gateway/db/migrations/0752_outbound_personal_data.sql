-- What of clients is emptied of items, attempts and firings when its days are over: what is done with is not looked at again.

CREATE INDEX outbound_item_named ON outbound_item (account_id, created_at) WHERE client IS NOT NULL AND ended_at IS NOT NULL;
CREATE INDEX outbound_attempt_named ON outbound_attempt (account_id, claimed_at) WHERE client <> '' AND state = 'over';
CREATE INDEX firing_told ON firing (account_id, created_at) WHERE steps <> '[]' AND state <> 'reading';

-- What has not ended is counted without going through all that has.
CREATE INDEX outbound_item_unended ON outbound_item (account_id, kind, state)
    WHERE state IN ('waiting', 'dialling', 'sending', 'unknown');

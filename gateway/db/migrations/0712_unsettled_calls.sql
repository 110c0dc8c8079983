-- What is not over yet, and what nobody knows, is counted all the time; it is few of many.
CREATE INDEX outbound_item_open ON outbound_item (account_id, connection, state)
    WHERE kind <> 'sms' AND state IN ('waiting', 'dialling', 'unknown');

-- What went out to one number, newest first.
CREATE INDEX outbound_item_of_client ON outbound_item (account_id, client, created_at DESC, item_id DESC) WHERE client IS NOT NULL;
CREATE INDEX sms_message_number ON sms_message (account_id, number, created_at DESC, own_id DESC) WHERE number IS NOT NULL;

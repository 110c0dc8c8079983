-- The deal inside a lead of Unsorted, hidden until the lead is accepted: its responsible is the lead's owner.
ALTER TABLE directory_entity ADD COLUMN deal_id text;
CREATE INDEX directory_entity_lead_deal ON directory_entity (account_id, deal_id) WHERE kind = 'lead' AND deal_id IS NOT NULL;

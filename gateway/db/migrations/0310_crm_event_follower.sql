-- Consumers that follow what holds now are told once more when another change turned out to be the last one.
ALTER TABLE crm_event_consumer ADD COLUMN is_follower boolean NOT NULL DEFAULT false;

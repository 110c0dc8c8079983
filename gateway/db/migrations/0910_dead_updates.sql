-- Updates of messengers that could not be read or carried out are looked at by a person, who may let them be.

ALTER TABLE channel_update ADD COLUMN note text;   -- why it was let be
ALTER TABLE channel_update DROP CONSTRAINT channel_update_state_check;
ALTER TABLE channel_update ADD CONSTRAINT channel_update_state_check
    CHECK (state IN ('pending', 'early', 'applied', 'dead', 'ignored'));
CREATE INDEX channel_update_dead ON channel_update (account_id, update_id) WHERE state = 'dead';

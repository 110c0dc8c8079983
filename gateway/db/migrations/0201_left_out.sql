-- What was written without a value that the CRM would not have is counted for `check`; there are few.
CREATE INDEX effect_left_out ON effect (account_id, done_at) WHERE crm_extra ? 'left_out';

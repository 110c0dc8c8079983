-- What came of calls and texts within the hour is counted for the metrics.
CREATE INDEX outbound_attempt_over ON outbound_attempt (over_at) INCLUDE (account_id, side, reason) WHERE state = 'over';
CREATE INDEX outbound_attempt_placed ON outbound_attempt (placed_at) INCLUDE (account_id) WHERE placed_at IS NOT NULL;
CREATE INDEX sms_message_claimed ON sms_message (claimed_at) INCLUDE (account_id, connection, state) WHERE claimed_at IS NOT NULL;

-- What cannot be decided after several tries is set aside with its reason, for a person to try again or to ignore.

ALTER TABLE call ADD COLUMN failures integer NOT NULL DEFAULT 0;    -- tries in a row that have failed
ALTER TABLE call ADD COLUMN failed_moment text;                     -- the moment that was to be decided
ALTER TABLE call ADD COLUMN failure text;
ALTER TABLE call ADD COLUMN aside_at timestamptz;                   -- nothing is tried any more since then
CREATE INDEX call_aside ON call (account_id, aside_at) WHERE aside_at IS NOT NULL;

ALTER TABLE missed_case ADD COLUMN failures integer NOT NULL DEFAULT 0;
ALTER TABLE missed_case ADD COLUMN failure text;
ALTER TABLE missed_case ADD COLUMN aside_at timestamptz;            -- is not handed on any more since then
CREATE INDEX missed_case_aside ON missed_case (account_id, aside_at) WHERE aside_at IS NOT NULL;

-- A delivery that the database refuses costs itself only.
ALTER TABLE crm_webhook ADD COLUMN tries integer NOT NULL DEFAULT 0;
ALTER TABLE crm_webhook ADD COLUMN error text;
ALTER TABLE crm_webhook ADD COLUMN aside_at timestamptz;
CREATE INDEX crm_webhook_waiting ON crm_webhook (account_id, webhook_id) WHERE aside_at IS NULL;
CREATE INDEX crm_webhook_aside ON crm_webhook (account_id, webhook_id) WHERE aside_at IS NOT NULL;

-- What a person has seen and can live with; told again when the CRM tells something else there.
ALTER TABLE crm_unread ADD COLUMN ignored_at timestamptz;
ALTER TABLE crm_unread ADD COLUMN note text;

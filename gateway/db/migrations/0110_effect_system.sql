-- Effects leave by system: whose executor carries an effect out. Processes that know no systems order for the CRM.
ALTER TABLE effect ADD COLUMN system text NOT NULL DEFAULT 'crm'
    CHECK (system IN ('crm', 'sms', 'pbx', 'channel'));

-- An executor touches only rows of its own, however many of another system wait.
CREATE INDEX effect_open_system ON effect (account_id, system, lane, seq) WHERE state IN ('waiting', 'sending', 'unknown');
DROP INDEX effect_open;
CREATE INDEX effect_held_system ON effect (account_id, system, seq) WHERE state = 'held';
DROP INDEX effect_held;
-- What falls together with an effect that it needs may belong to another system: few rows need another.
CREATE INDEX effect_needing ON effect (account_id, seq) WHERE state IN ('waiting', 'held') AND after <> '{}';

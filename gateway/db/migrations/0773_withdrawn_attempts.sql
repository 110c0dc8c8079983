-- A call back whose client calls us while the employee's phone rings is taken back: written down before the PBX is asked, once.
ALTER TABLE outbound_attempt ADD COLUMN withdrawn_at timestamptz;

-- What a decision booked is taken back by its id: without this, the whole journal of a template is read for it.
CREATE INDEX distribution_journal_decision ON distribution_journal (account_id, decision_id);

-- What a client wrote stands beside their calls, too.
CREATE INDEX dialogue_number ON dialogue (account_id, number) WHERE number IS NOT NULL;

-- Which fields of a message could not be read as they stood; NULL = none. Older processes write none.

ALTER TABLE inbox ADD COLUMN spoilt text[];
CREATE INDEX inbox_spoilt ON inbox (account_id, received_at) WHERE spoilt IS NOT NULL;

-- What of a call was emptied because its days were over, or on the client's request: number, recordings, params.
-- Calls themselves stay, so that figures do. Messages that were emptied keep their key, so that they are recognised.

ALTER TABLE call ADD COLUMN emptied text[] NOT NULL DEFAULT '{}';

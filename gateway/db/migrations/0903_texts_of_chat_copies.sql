-- What copies of dialogues were ordered with is emptied when the days of texts are over, as the messages are.

ALTER TABLE chat_copy ADD COLUMN ordered_at timestamptz;                     -- last
ALTER TABLE chat_copy ADD COLUMN is_emptied boolean NOT NULL DEFAULT false;  -- of what was ordered since then
CREATE INDEX chat_copy_texts ON chat_copy (account_id, ordered_at) WHERE NOT is_emptied;

-- Copies of dialogues of which no message is kept any more are removed by their age.

CREATE INDEX chat_copy_age ON chat_copy (account_id, ends_at);

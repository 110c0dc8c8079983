-- Whoever has a dialogue open is told when a file of it is there, or cannot be had.

CREATE FUNCTION callmatrix_file_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM callmatrix_tell_dialogue('dialogues', m.account_id, m.dialogue_id)
    FROM chat_message m WHERE m.account_id = NEW.account_id AND m.message_id = NEW.message_id;
    RETURN NULL;
END $$;
CREATE TRIGGER chat_file_told AFTER UPDATE ON chat_file
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.reason IS DISTINCT FROM NEW.reason)
    EXECUTE FUNCTION callmatrix_file_told();

-- How far people have read dialogues, who is in which one just now, what is looked for in them, and who is told that they changed.

CREATE INDEX dialogue_listed ON dialogue (account_id, (coalesce(last_message_at, created_at)) DESC, dialogue_id DESC);
CREATE INDEX chat_message_in ON chat_message (account_id, dialogue_id, message_id) WHERE direction = 'in';

CREATE TABLE dialogue_reader (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    dialogue_id bigint NOT NULL,
    reader      text NOT NULL,                         -- employee, or @login of one who is none
    name        text NOT NULL DEFAULT '',
    read_to     bigint NOT NULL DEFAULT 0,             -- message_id of the newest that was seen
    here_at     timestamptz,                           -- when this person last had it open
    typed_at    timestamptz,                           -- when they last typed an answer that is not sent yet
    PRIMARY KEY (account_id, dialogue_id, reader),
    FOREIGN KEY (account_id, dialogue_id) REFERENCES dialogue ON DELETE CASCADE
);
CREATE INDEX dialogue_reader_here ON dialogue_reader (account_id, dialogue_id, here_at);

-- Letters of one size, ё as е: a database of the locale C knows no capitals but ASCII's.
CREATE FUNCTION callmatrix_folded(told text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.translate(pg_catalog.lower(told), 'АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯё«»„“”—–…№',
        'абвгдеежзийклмнопрстуфхцчшщъыьэюяе         ')
$$;

-- The words of a message. It names nothing of ours, so that a restored dump can build the index.
CREATE FUNCTION callmatrix_chat_words(parts jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.to_tsvector('pg_catalog.simple'::pg_catalog.regconfig, pg_catalog.translate(pg_catalog.lower(
        coalesce(pg_catalog.string_agg(part ->> 'text', ' '), '')), 'АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯё«»„“”—–…№',
        'абвгдеежзийклмнопрстуфхцчшщъыьэюяе         '))
    FROM pg_catalog.jsonb_array_elements(parts) AS part
$$;
CREATE INDEX chat_message_words ON chat_message USING gin (callmatrix_chat_words(parts));

-- Told as "account dialogues <dialogue> <channel> <owner>": only who may see the dialogue is told on.
CREATE FUNCTION callmatrix_tell_dialogue(topic text, account text, dialogue bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('callmatrix_changes', rtrim(concat_ws(' ', account, topic, d.dialogue_id, d.channel_id, d.owner)))
    FROM dialogue d WHERE d.account_id = account AND d.dialogue_id = dialogue
$$;

CREATE FUNCTION callmatrix_message_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM callmatrix_tell_dialogue('dialogues', NEW.account_id, NEW.dialogue_id);
    RETURN NULL;
END $$;
CREATE TRIGGER chat_message_added AFTER INSERT ON chat_message
    FOR EACH ROW EXECUTE FUNCTION callmatrix_message_told();
CREATE TRIGGER chat_message_changed AFTER UPDATE ON chat_message
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.parts IS DISTINCT FROM NEW.parts
        OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at OR OLD.reason IS DISTINCT FROM NEW.reason)
    EXECUTE FUNCTION callmatrix_message_told();

-- Whoever could see it before its owner changed is told too.
CREATE FUNCTION callmatrix_dialogue_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_changes',
        rtrim(concat_ws(' ', NEW.account_id, 'dialogues', NEW.dialogue_id, NEW.channel_id, owner)))
    FROM (VALUES (OLD.owner), (NEW.owner)) AS of (owner);
    RETURN NULL;
END $$;
CREATE TRIGGER dialogue_told AFTER UPDATE ON dialogue
    FOR EACH ROW WHEN (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.can_write IS DISTINCT FROM NEW.can_write
        OR OLD.name IS DISTINCT FROM NEW.name OR OLD.deal IS DISTINCT FROM NEW.deal)
    EXECUTE FUNCTION callmatrix_dialogue_told();

-- Who has it open and who types are told to those who may see it, how far somebody has read to that person alone.
CREATE FUNCTION callmatrix_reader_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR OLD.read_to IS DISTINCT FROM NEW.read_to THEN
        PERFORM pg_notify('callmatrix_changes', concat_ws(' ', NEW.account_id, 'reading', NEW.reader));
    END IF;
    IF TG_OP = 'INSERT' OR OLD.typed_at IS DISTINCT FROM NEW.typed_at OR OLD.here_at IS NULL
        OR NEW.here_at - OLD.here_at > interval '40 seconds' THEN
        PERFORM callmatrix_tell_dialogue('answering', NEW.account_id, NEW.dialogue_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER dialogue_reader_told AFTER INSERT OR UPDATE ON dialogue_reader
    FOR EACH ROW EXECUTE FUNCTION callmatrix_reader_told();

CREATE TRIGGER channel_access_told AFTER INSERT OR DELETE OR UPDATE ON channel_access
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('dialogues');
CREATE TRIGGER channel_added AFTER INSERT OR DELETE ON channel
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('dialogues');
CREATE TRIGGER channel_changed AFTER UPDATE ON channel
    FOR EACH ROW WHEN (OLD.is_on IS DISTINCT FROM NEW.is_on OR OLD.state IS DISTINCT FROM NEW.state
        OR OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION callmatrix_row_changed('dialogues');

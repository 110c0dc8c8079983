-- Copies of dialogues into the deal: which note each message stands in, and which notes are to be written.

CREATE TABLE chat_copy (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    copy_id     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel_id  text NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    dialogue_id bigint NOT NULL,
    deal        jsonb NOT NULL,                        -- routing.client.Ref: of its first message
    mode        text NOT NULL CHECK (mode IN ('each', 'hour', 'day')),
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    addition    integer NOT NULL DEFAULT 0,            -- 1, 2, …: to the note before it, which is not written any more
    marks       text[] NOT NULL DEFAULT '{}',          -- of the texts of its parts, as they were last ordered
    members     integer NOT NULL DEFAULT 0,            -- how many messages stood in it then
    revision    integer NOT NULL DEFAULT 0,            -- how often it was ordered
    confirmed   integer NOT NULL DEFAULT 0,            -- the last revision that stands in the CRM for certain
    changing    text[] NOT NULL DEFAULT '{}',          -- effects that change it and may yet find the note gone
    due_at      timestamptz,                           -- NULL: there is nothing to write
    written_at  timestamptz,                           -- first
    sealed_at   timestamptz,                           -- no more written: the note is gone, or what stood in it is
    PRIMARY KEY (account_id, copy_id),
    FOREIGN KEY (account_id, dialogue_id) REFERENCES dialogue ON DELETE CASCADE
);
CREATE INDEX chat_copy_of_period ON chat_copy (account_id, dialogue_id, starts_at);
CREATE INDEX chat_copy_due ON chat_copy (channel_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX chat_copy_changing ON chat_copy (channel_id) WHERE changing <> '{}';

CREATE TABLE chat_copy_message (
    account_id  text NOT NULL,
    message_id  bigint NOT NULL,
    channel_id  text NOT NULL,
    copy_id     bigint,                                -- NULL: in none yet
    is_pending  boolean NOT NULL DEFAULT true,         -- it is new, or says something else than before
    is_left_out boolean NOT NULL DEFAULT false,        -- it came while nothing was copied: it never is
    mark        text,                                  -- of what it says, as it was last ordered; NULL: never
    revision    integer NOT NULL DEFAULT 0,            -- of the copy, in which it last changed
    PRIMARY KEY (account_id, message_id),
    FOREIGN KEY (account_id, message_id) REFERENCES chat_message ON DELETE CASCADE
);
CREATE INDEX chat_copy_message_pending ON chat_copy_message (channel_id, message_id) WHERE is_pending;
CREATE INDEX chat_copy_message_of_copy ON chat_copy_message (account_id, copy_id) WHERE copy_id IS NOT NULL;

INSERT INTO chat_copy_message (account_id, message_id, channel_id, is_pending, is_left_out)
SELECT account_id, message_id, channel_id, false, true FROM chat_message;

-- Whoever writes a message need not think of its copy. What is waiting to be sent is not said yet.
CREATE FUNCTION chat_message_to_copy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chat_copy_message AS c (account_id, message_id, channel_id)
    VALUES (NEW.account_id, NEW.message_id, NEW.channel_id)
    ON CONFLICT (account_id, message_id) DO UPDATE SET is_pending = true WHERE NOT c.is_left_out;
    RETURN NULL;
END $$;

CREATE TRIGGER chat_message_said AFTER INSERT ON chat_message
    FOR EACH ROW WHEN (NEW.deal IS NOT NULL AND NEW.status NOT IN ('waiting', 'sending'))
    EXECUTE FUNCTION chat_message_to_copy();
CREATE TRIGGER chat_message_said_anew AFTER UPDATE ON chat_message
    FOR EACH ROW WHEN (NEW.deal IS NOT NULL AND NEW.status NOT IN ('waiting', 'sending') AND NEW.parts <> '[]'
        AND (OLD.parts <> NEW.parts OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at OR OLD.at <> NEW.at
            OR (OLD.status <> NEW.status AND (OLD.status IN ('waiting', 'sending', 'unknown', 'refused')
                OR NEW.status IN ('unknown', 'refused')))))
    EXECUTE FUNCTION chat_message_to_copy();

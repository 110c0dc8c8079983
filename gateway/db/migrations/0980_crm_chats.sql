-- Dialogues in the CRM's own chats: how these are reached, what is to stand there and does, and what people wrote there.

CREATE TABLE crm_chat_channel (
    account_id   text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    channel_id   text NOT NULL,                        -- the CRM's
    secret       text NOT NULL,                        -- sealed
    bot_id       text NOT NULL,                        -- in whose name stands what nobody in person wrote
    amojo_id     text NOT NULL DEFAULT '',             -- of the account in the chats; '' = the CRM is asked
    scope_id     text,                                 -- of the connection; NULL: it is not connected
    connected_at timestamptz,
    failures     integer NOT NULL DEFAULT 0,
    try_at       timestamptz NOT NULL DEFAULT now(),
    error        text NOT NULL DEFAULT '',             -- code: words; '' = all is well
    error_at     timestamptz,
    went_at      timestamptz,                          -- when something last went well
    people_at    timestamptz                           -- when the CRM was last asked who is who in its chats
);
CREATE INDEX crm_chat_channel_scope ON crm_chat_channel (scope_id) WHERE scope_id IS NOT NULL;

CREATE TABLE crm_chat_person (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    amojo_id   text NOT NULL,
    user_id    text NOT NULL,                          -- of the CRM
    PRIMARY KEY (account_id, amojo_id)
);

-- Where a dialogue stands.
CREATE TABLE crm_chat (
    account_id  text NOT NULL,
    dialogue_id bigint NOT NULL,
    chat        text NOT NULL,                         -- by which name of ours
    chat_ref    text,                                  -- by which of the CRM's; NULL: it is not made yet
    contact_id  text,                                  -- to whom it belongs there; NULL: to nobody yet
    failures    integer NOT NULL DEFAULT 0,
    try_at      timestamptz,
    error       text NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, dialogue_id),
    FOREIGN KEY (account_id, dialogue_id) REFERENCES dialogue ON DELETE CASCADE
);
CREATE INDEX crm_chat_named ON crm_chat (account_id, chat);
CREATE INDEX crm_chat_known ON crm_chat (account_id, chat_ref) WHERE chat_ref IS NOT NULL;

-- What of a message is to be told there. new: it is not shown yet. shown: it stands there. written: it was written there, and how it
-- fares is told. left: it never is. dead: it cannot be shown.
CREATE TABLE crm_chat_message (
    account_id  text NOT NULL,
    message_id  bigint NOT NULL,
    own_id      text NOT NULL,                         -- by which name of ours it stands there: taken once
    chat        text,                                  -- in which chat, by our name
    crm_id      text NOT NULL DEFAULT '',              -- by which name of the CRM's
    state       text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'shown', 'written', 'left', 'dead')),
    is_pending  boolean NOT NULL DEFAULT true,
    noted       integer NOT NULL DEFAULT 1,            -- how often something new was to be told
    due_at      timestamptz NOT NULL DEFAULT now(),
    mark        text,                                  -- of what it says there
    told_status text NOT NULL DEFAULT '',              -- of one that was written there
    failures    integer NOT NULL DEFAULT 0,
    failed_at   timestamptz,                           -- first
    error       text NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, message_id),
    UNIQUE (account_id, own_id),
    FOREIGN KEY (account_id, message_id) REFERENCES chat_message ON DELETE CASCADE
);
CREATE INDEX crm_chat_message_pending ON crm_chat_message (account_id, message_id) WHERE is_pending;
CREATE INDEX crm_chat_message_dead ON crm_chat_message (account_id, message_id) WHERE state = 'dead';

-- What people wrote in the CRM's cards. told: what it said; NULL once it stands in the dialogue.
CREATE TABLE crm_chat_hook (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    hook_id     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    crm_id      text NOT NULL,                         -- of the message
    dialogue_id bigint,                                -- NULL: it was not known when it came
    told        jsonb,
    received_at timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'taken', 'refused', 'dead')),
    reason      text NOT NULL DEFAULT '',
    words       text NOT NULL DEFAULT '',              -- what whoever wrote it is to be told
    told_at     timestamptz,                           -- and when they were
    failures    integer NOT NULL DEFAULT 0,
    try_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, hook_id),
    UNIQUE (account_id, crm_id),
    FOREIGN KEY (account_id, dialogue_id) REFERENCES dialogue ON DELETE CASCADE
);
CREATE INDEX crm_chat_hook_left ON crm_chat_hook (account_id, hook_id) WHERE state = 'pending' OR (words <> '' AND told_at IS NULL);
CREATE INDEX crm_chat_hook_age ON crm_chat_hook (received_at);
CREATE INDEX crm_chat_hook_dialogue ON crm_chat_hook (account_id, dialogue_id) WHERE dialogue_id IS NOT NULL;

-- Whoever writes a message need not think of the CRM's chats. What is waiting to be sent is not said yet; what somebody else than we
-- sent waits a little: it may turn out to be the messenger's word of one of ours.
CREATE FUNCTION chat_message_to_crm_chat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm_chat_message (account_id, message_id, own_id, due_at)
    SELECT NEW.account_id, NEW.message_id, NEW.channel_id || ':' || NEW.message_id,
        CASE WHEN NEW.direction = 'out' AND NEW.own_key IS NULL THEN now() + interval '5 seconds' ELSE now() END
    FROM account a JOIN channel c ON c.account_id = a.account_id AND c.channel_id = NEW.channel_id
    JOIN dialogue d ON d.account_id = a.account_id AND d.dialogue_id = NEW.dialogue_id
    WHERE a.account_id = NEW.account_id AND a.settings #>> '{dialogues,in_crm}' = 'true' AND c.is_on AND d.kind <> 'group'
    ON CONFLICT (account_id, message_id) DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION chat_message_to_crm_chat_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm_chat_message SET is_pending = true, noted = noted + 1
    WHERE account_id = NEW.account_id AND message_id = NEW.message_id AND state IN ('new', 'shown', 'written');
    RETURN NULL;
END $$;

CREATE TRIGGER chat_message_for_crm_chat AFTER INSERT ON chat_message
    FOR EACH ROW WHEN (NEW.status NOT IN ('waiting', 'sending', 'refused'))
    EXECUTE FUNCTION chat_message_to_crm_chat();
CREATE TRIGGER chat_message_sent_for_crm_chat AFTER UPDATE ON chat_message
    FOR EACH ROW WHEN (OLD.status IN ('waiting', 'sending', 'unknown', 'refused')
        AND NEW.status NOT IN ('waiting', 'sending', 'refused') AND OLD.status <> NEW.status)
    EXECUTE FUNCTION chat_message_to_crm_chat();
CREATE TRIGGER chat_message_anew_for_crm_chat AFTER UPDATE ON chat_message
    FOR EACH ROW WHEN (NEW.parts <> '[]' AND (OLD.parts <> NEW.parts OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at
        OR OLD.status <> NEW.status))
    EXECUTE FUNCTION chat_message_to_crm_chat_anew();

-- Switched off, what is not shown yet never is: switched on again, it begins with what is said from then on.
CREATE FUNCTION account_leaves_crm_chats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm_chat_message SET state = 'left', is_pending = false WHERE account_id = NEW.account_id AND state = 'new';
    RETURN NULL;
END $$;
CREATE TRIGGER account_leaves_crm_chats AFTER UPDATE OF settings ON account
    FOR EACH ROW WHEN (OLD.settings #>> '{dialogues,in_crm}' = 'true'
        AND NEW.settings #>> '{dialogues,in_crm}' IS DISTINCT FROM 'true')
    EXECUTE FUNCTION account_leaves_crm_chats();

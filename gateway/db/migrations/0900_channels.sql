-- Messenger channels of an account, what they told, and the dialogues with clients that follow from it.

CREATE TABLE channel (
    channel_id  text NOT NULL UNIQUE,                  -- unique in the installation; stands in the address
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    name        text NOT NULL,
    kind        text NOT NULL,
    keys        jsonb NOT NULL DEFAULT '{}',           -- sealed
    settings    jsonb NOT NULL DEFAULT '{}',
    rules       jsonb NOT NULL DEFAULT '{}',           -- routing.dialogues.rules.ChannelRules
    secret      text NOT NULL,                         -- sealed; stands in the address
    is_on       boolean NOT NULL DEFAULT true,         -- ticked: makes deals and may be written from; else it is listened to only
    state       text NOT NULL DEFAULT 'active',        -- sms.channels.reasons.ChannelState
    state_words text NOT NULL DEFAULT '',
    state_at    timestamptz NOT NULL DEFAULT now(),
    cursor      text,                                  -- of one that is polled: committed with the updates before it
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, channel_id),
    UNIQUE (account_id, name)
);

CREATE TABLE channel_update (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    update_id   bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel_id  text NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    dedupe_key  text,                                  -- NULL: it may be told again and be news
    client_key  text NOT NULL,                         -- E.164 or chat:<channel>:<chat>: whose job works on it
    about       text,                                  -- outside id of a message, of an update that says something of one
    told        jsonb,                                 -- NULL: it could not be read, see raw
    raw         bytea,
    told_at     timestamptz NOT NULL,                  -- the vendor's time, else when it came
    sequence    bigint NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'early', 'applied', 'dead')),
    error       text,
    applied_at  timestamptz,
    PRIMARY KEY (account_id, update_id)
);
CREATE UNIQUE INDEX channel_update_once ON channel_update (channel_id, dedupe_key);
CREATE INDEX channel_update_left ON channel_update (account_id, client_key) WHERE state = 'pending';
CREATE INDEX channel_update_early ON channel_update (channel_id, about) WHERE state = 'early';
CREATE INDEX channel_update_age ON channel_update (received_at) WHERE state <> 'pending';

CREATE TABLE dialogue (
    account_id      text NOT NULL REFERENCES account ON DELETE CASCADE,
    dialogue_id     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel_id      text NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    chat_id         text NOT NULL,                     -- the vendor's
    kind            text NOT NULL DEFAULT 'private',   -- sms.channels.model.ChatKind
    client_key      text NOT NULL,                     -- fixed when it began
    number          text,                              -- E.164; NULL: the vendor tells none
    name            text NOT NULL DEFAULT '',
    username        text NOT NULL DEFAULT '',
    way             text NOT NULL DEFAULT '',          -- the adapter's own
    contact         jsonb,                             -- routing.client.Ref
    deal            jsonb,                             -- routing.client.Ref
    place_reason    text NOT NULL DEFAULT '',          -- routing.dialogues.incoming.IncomingReason: why these
    place_steps     jsonb NOT NULL DEFAULT '[]',
    place_at        timestamptz,
    owner           text,                              -- employee
    owner_how       text NOT NULL DEFAULT '',
    owner_at        timestamptz,
    can_write       boolean NOT NULL DEFAULT true,     -- false: the client has blocked us
    last_message_at timestamptz,
    last_in_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, dialogue_id),
    UNIQUE (channel_id, chat_id)
);
CREATE INDEX dialogue_latest ON dialogue (account_id, last_message_at DESC NULLS LAST, dialogue_id);
CREATE INDEX dialogue_client ON dialogue (account_id, client_key);

CREATE TABLE chat_message (
    account_id   text NOT NULL REFERENCES account ON DELETE CASCADE,
    message_id   bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel_id   text NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    dialogue_id  bigint NOT NULL,
    outside_id   text,                                 -- NULL: of ours, and the vendor has not told it yet
    own_key      text,                                 -- of ours
    direction    text NOT NULL,                        -- in, out
    author_kind  text NOT NULL,                        -- sms.channels.model.AuthorKind
    author_id    text NOT NULL DEFAULT '',
    author_name  text NOT NULL DEFAULT '',
    employee_id  text,                                 -- who it is with us
    at           timestamptz NOT NULL,                 -- the vendor's time, else when it came
    sequence     bigint NOT NULL DEFAULT 0,
    arrived_at   timestamptz NOT NULL,
    parts        jsonb NOT NULL,                       -- sms.channels.model.PartTold; [] once it was emptied
    revision     integer NOT NULL DEFAULT 0,
    edited_at    timestamptz,
    edit_sequence bigint NOT NULL DEFAULT 0,
    quoted_id    text NOT NULL DEFAULT '',
    quoted_text  text NOT NULL DEFAULT '',
    album_id     text NOT NULL DEFAULT '',
    deleted_at   timestamptz,
    status       text NOT NULL,                        -- sms.channels.model.MessageStatus
    reason       text NOT NULL DEFAULT '',
    words        text NOT NULL DEFAULT '',
    deal         jsonb,                                -- the dialogue's at the message's time
    try_at       timestamptz,                          -- of one that waits to be sent
    claimed_at   timestamptz,
    PRIMARY KEY (account_id, message_id),
    FOREIGN KEY (account_id, dialogue_id) REFERENCES dialogue ON DELETE CASCADE,
    UNIQUE (channel_id, outside_id),
    UNIQUE (account_id, own_key)
);
CREATE INDEX chat_message_of_dialogue ON chat_message (account_id, dialogue_id, at, sequence, message_id);
CREATE INDEX chat_message_due ON chat_message (channel_id, try_at, message_id) WHERE status IN ('waiting', 'sending');

-- What a message said before it was edited.
CREATE TABLE chat_revision (
    account_id  text NOT NULL,
    message_id  bigint NOT NULL,
    revision    integer NOT NULL,
    parts       jsonb NOT NULL,
    edited_at   timestamptz,
    PRIMARY KEY (account_id, message_id, revision),
    FOREIGN KEY (account_id, message_id) REFERENCES chat_message ON DELETE CASCADE
);

-- Who may do what in which channel; nobody without a row.
CREATE TABLE channel_access (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    channel_id  text NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    employee_id text NOT NULL,
    may         text NOT NULL DEFAULT 'read' CHECK (may IN ('none', 'read', 'send')),
    is_default  boolean NOT NULL DEFAULT false,        -- the channel that this person writes from
    PRIMARY KEY (account_id, channel_id, employee_id),
    CHECK (NOT is_default OR may = 'send')
);
CREATE UNIQUE INDEX channel_access_default ON channel_access (account_id, employee_id) WHERE is_default;

-- Files of messages in messengers: what was told of each, and its content once it was fetched.

CREATE TABLE chat_file (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    file_id     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel_id  text NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    message_id  bigint NOT NULL,
    told_hash    text NOT NULL,                         -- of what was told of it: the same file of an edited message is one
    part_kind   text NOT NULL,                         -- sms.channels.model.PartKind
    told        jsonb NOT NULL,                        -- sms.channels.model.FileTold
    state       text NOT NULL CHECK (state IN ('waiting', 'kept', 'refused')),
    reason      text NOT NULL DEFAULT '',              -- sms.channels.reasons.FileReason
    media_type  text NOT NULL DEFAULT '',              -- by its bytes
    size        bigint,
    content     bytea,
    tries       integer NOT NULL DEFAULT 0,
    try_at      timestamptz,                           -- of one that waits; of one that is being fetched: when it is given up for lost
    link_hash   text UNIQUE,                           -- of the address from which the messenger may have it, and until when
    link_until  timestamptz,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, file_id),
    FOREIGN KEY (account_id, message_id) REFERENCES chat_message ON DELETE CASCADE,
    UNIQUE (account_id, message_id, told_hash)
);
ALTER TABLE chat_file ALTER content SET STORAGE EXTERNAL;  -- parts of it are read without the rest
CREATE INDEX chat_file_due ON chat_file (channel_id, try_at) WHERE state = 'waiting';
CREATE INDEX chat_file_age ON chat_file (account_id, created_at);

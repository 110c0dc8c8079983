-- The question "are you there?" by Telegram: who is linked to which chat, what was asked there, how far the bot has read.

CREATE TABLE presence_chat (
    account_id  text NOT NULL,
    employee_id text NOT NULL,
    code_hash   text UNIQUE,               -- of the one-time code that a chat is linked with; the code itself is not kept
    code_until  timestamptz,
    chat_id     text,
    linked_at   timestamptz,
    PRIMARY KEY (account_id, employee_id),
    FOREIGN KEY (account_id, employee_id) REFERENCES employee ON DELETE CASCADE
);

-- One question to one person by the bot, asked once however many processes run. button: what its button sends back.
CREATE TABLE presence_asked (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    employee_id text NOT NULL,
    asked_at    timestamptz NOT NULL,
    answer_by   timestamptz NOT NULL,
    chat_id     text NOT NULL,
    button      text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'given_up')),
    attempts    integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT '-infinity',
    claimed_at  timestamptz,
    error_code  text,
    error       text,
    PRIMARY KEY (account_id, employee_id, asked_at)
);
CREATE INDEX presence_asked_open ON presence_asked (next_try_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX presence_asked_age ON presence_asked (asked_at);

-- Up to where a bot's messages were read. bot: hash of its token.
CREATE TABLE bot_reading (
    bot         text PRIMARY KEY,
    next_update bigint NOT NULL,
    read_at     timestamptz NOT NULL
);

-- Tags and values of custom fields by which clients are for one person only: which an account asks for, and who bears them.

CREATE TABLE directory_watched (
    account_id  text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    marks       text[] NOT NULL             -- 'tag:vip', 'field:123': of these what the CRM tells is kept
);

CREATE TABLE directory_mark (
    account_id  text NOT NULL,
    kind        text NOT NULL,
    entity_id   text NOT NULL,
    mark        text NOT NULL,              -- 'tag:vip', 'field:123=olga', in small letters
    PRIMARY KEY (account_id, kind, entity_id, mark)
);

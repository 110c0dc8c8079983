-- Rows and values of the CRM that could not be read. A row goes when it reads well, or is no longer in the CRM.

CREATE TABLE crm_unread (
    account_id  text NOT NULL,
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    kind        text NOT NULL,              -- contact, company, deal, lead, user, pipeline, 'contact field', event, task, …
    entity_id   text NOT NULL,              -- '?…' stands for a row whose id could not be read either
    field       text NOT NULL,              -- where in the row; '' = the row itself
    why         text NOT NULL,
    raw         text NOT NULL,              -- what stood there, masked, at most 4 KB; '' where very many were kept already
    is_lost     boolean NOT NULL,           -- nothing of the row was taken over
    found_at    timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz NOT NULL DEFAULT now(),
    times       integer NOT NULL DEFAULT 1,
    next_try_at timestamptz NOT NULL,       -- of entities: when they are asked for by id again
    PRIMARY KEY (account_id, kind, entity_id, field)
);
CREATE UNIQUE INDEX crm_unread_seq ON crm_unread (account_id, seq);

-- A refusal of a webhook as a whole is told for a while, not for ever.
ALTER TABLE crm_webhook_seen ADD COLUMN last_refused_at timestamptz;

-- What changed in the CRM, one row a change however many ways it was told, and who still has to work on it.

CREATE TABLE crm_event (
    account_id  text NOT NULL,
    event_id    bigint GENERATED ALWAYS AS IDENTITY,
    subject     text NOT NULL,              -- what is worked on, one at a time: 'deal:7', else 'contact:3', else 'task:9'
    entity_kind text NOT NULL,              -- deal, contact, company, lead (Unsorted), task
    entity_id   text NOT NULL,
    aspect      text NOT NULL,              -- what of it: stage, responsible, price, name, numbers, tag:<name>, completed, …
    what        text NOT NULL,              -- the event's name: stage_changed, task completed is (task, completed)
    old_value   text,
    new_value   text NOT NULL,
    at          timestamptz NOT NULL,       -- the CRM's time, as exactly as was told so far
    told_at     timestamptz NOT NULL,       -- the CRM's time as the first teller named it
    first_told_by text NOT NULL,            -- webhook, poll or feed
    feed_id     text,                       -- of the CRM's own event; NULL until its feed told of the change
    by_user     text,                       -- CRM user; NULL: nobody, or not told yet
    is_ours     boolean NOT NULL DEFAULT false,  -- one of our own effects made the change
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, event_id)
);
CREATE UNIQUE INDEX crm_event_feed ON crm_event (account_id, feed_id) WHERE feed_id IS NOT NULL;
CREATE INDEX crm_event_entity ON crm_event (account_id, entity_kind, entity_id, aspect, told_at);
CREATE INDEX crm_event_age ON crm_event (received_at);

-- The latest value known of what the directory does not hold (prices, tasks), or does not hold yet.
CREATE TABLE crm_entity_state (
    account_id  text NOT NULL,
    entity_kind text NOT NULL,
    entity_id   text NOT NULL,
    aspect      text NOT NULL,
    value       text NOT NULL,
    at          timestamptz NOT NULL,       -- the CRM's time up to which it is known to hold
    PRIMARY KEY (account_id, entity_kind, entity_id, aspect)
);

-- Who works on events. Those that come after a consumer was added are its own; what was before is not replayed.
CREATE TABLE crm_event_consumer (
    name     text PRIMARY KEY,
    added_at timestamptz NOT NULL DEFAULT now()
);

-- What a consumer has still to work on, and what it had to set aside. A row goes when it is done.
CREATE TABLE crm_event_work (
    account_id  text NOT NULL,
    consumer    text NOT NULL,
    event_id    bigint NOT NULL,
    subject     text NOT NULL,
    tries       integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    is_aside    boolean NOT NULL DEFAULT false,
    error       text,
    PRIMARY KEY (account_id, consumer, event_id)
);
CREATE INDEX crm_event_work_subject ON crm_event_work (account_id, subject, event_id) WHERE NOT is_aside;
CREATE INDEX crm_event_work_due ON crm_event_work (next_try_at) WHERE NOT is_aside;

-- Our own writes are recognised by what exists in the CRM because of them, and by whom they changed.
CREATE INDEX effect_updated ON effect (account_id, ("order"->'target'->>'id')) WHERE what = 'update_entity';

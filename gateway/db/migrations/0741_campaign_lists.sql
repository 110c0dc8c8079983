-- Lists on their way into a campaign: kept until they are read, and by their content so that the same one pressed twice is one.

CREATE TABLE campaign_list (
    account_id  text NOT NULL,
    campaign_id text NOT NULL,
    upload      text NOT NULL,                         -- hash of the content and of the columns that were chosen
    name        text NOT NULL,                         -- the file's
    columns     jsonb NOT NULL DEFAULT '{}',           -- as they were chosen
    body        bytea,                                 -- NULL: it was read
    work_id     text,
    report      jsonb,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, campaign_id, upload),
    FOREIGN KEY (account_id, campaign_id) REFERENCES campaign ON DELETE CASCADE
);

ALTER TABLE campaign ADD COLUMN places integer NOT NULL DEFAULT 0;  -- given to members so far

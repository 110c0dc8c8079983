-- What was heard last of the link that a provider needs: whether it stands, and else why not. None yet: nobody has tried.

CREATE TABLE sms_link (
    account_id text NOT NULL,
    name       text NOT NULL,
    is_up      boolean NOT NULL,
    reason     text NOT NULL DEFAULT '',               -- sms.reasons.SmsReason; '' where it stands
    words      text NOT NULL DEFAULT '',               -- what the other side, or the network, said
    since      timestamptz NOT NULL,
    PRIMARY KEY (account_id, name),
    FOREIGN KEY (account_id, name) REFERENCES sms_connection ON DELETE CASCADE
);

-- What of clients is emptied of campaigns' members when its days are over: a number gives way to one that nobody has.

ALTER TABLE campaign_link DROP CONSTRAINT campaign_link_account_id_campaign_id_number_fkey;
ALTER TABLE campaign_link ADD FOREIGN KEY (account_id, campaign_id, number) REFERENCES campaign_member
    ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX campaign_member_named ON campaign_member (account_id, added_at)
    WHERE ended_at IS NOT NULL AND (number LIKE '+%' OR name <> '' OR client_id <> '' OR data <> '{}');
CREATE INDEX campaign_topic_told ON campaign_topic (account_id, ended_at) WHERE client <> '' OR comment <> '';

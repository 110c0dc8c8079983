-- Which clients of messengers a run takes up: those who wrote while nothing was sent, and for whom a contact or a deal is to be made.
CREATE TABLE backfill_client (
    account_id text NOT NULL,
    run_id     text NOT NULL,
    client     text NOT NULL,
    PRIMARY KEY (account_id, run_id, client),
    FOREIGN KEY (account_id, run_id) REFERENCES backfill_run ON DELETE CASCADE
);

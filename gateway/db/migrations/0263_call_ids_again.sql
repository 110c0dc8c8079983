-- Later calls of an id that a PBX uses again; few PBXs do, and their index is as small as that.

CREATE INDEX inbox_again ON inbox (account_id, connection_id, split_part(call_key, '␟', 1)) WHERE strpos(call_key, '␟') > 0;
CREATE INDEX call_again ON call (account_id, connection_id, split_part(call_key, '␟', 1), started_at)
    WHERE strpos(call_key, '␟') > 0;

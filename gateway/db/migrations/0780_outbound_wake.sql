-- What may go out at once is told to whoever sends it; what becomes due by the clock is looked for.
CREATE FUNCTION callmatrix_outbound_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_outbound', TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER firing_waits AFTER INSERT ON firing
    FOR EACH ROW WHEN (NEW.state = 'reading') EXECUTE FUNCTION callmatrix_outbound_waits('firings');
CREATE TRIGGER outbound_call_waits AFTER INSERT OR UPDATE OF state, not_before ON outbound_item
    FOR EACH ROW WHEN (NEW.state = 'waiting' AND NEW.kind <> 'sms') EXECUTE FUNCTION callmatrix_outbound_waits('calls');
CREATE TRIGGER outbound_text_waits AFTER INSERT OR UPDATE OF state, not_before ON outbound_item
    FOR EACH ROW WHEN (NEW.state = 'waiting' AND NEW.kind = 'sms') EXECUTE FUNCTION callmatrix_outbound_waits('texts');
CREATE TRIGGER sms_message_waits AFTER INSERT OR UPDATE OF state, next_try_at ON sms_message
    FOR EACH ROW WHEN (NEW.state = 'queued') EXECUTE FUNCTION callmatrix_outbound_waits('messages');

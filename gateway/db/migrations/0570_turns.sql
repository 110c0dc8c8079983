-- Whose turn it is, is offered to ringing phones from the memory of gateways: each is told when it moves.
CREATE FUNCTION callmatrix_turns_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_turns', NEW.account_id);
    RETURN NULL;
END $$;
CREATE TRIGGER distribution_template_turns AFTER INSERT OR UPDATE ON distribution_template
    FOR EACH ROW EXECUTE FUNCTION callmatrix_turns_moved();

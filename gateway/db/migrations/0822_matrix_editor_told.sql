-- Who edits is told when they come, go or open another cell; that they are still there is told to nobody, or everybody who
-- looks on would be told by everybody who looks on.
DROP TRIGGER matrix_editor_changed ON matrix_editor;
CREATE TRIGGER matrix_editor_came AFTER INSERT OR DELETE ON matrix_editor
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('matrix');
CREATE TRIGGER matrix_editor_moved AFTER UPDATE ON matrix_editor
    FOR EACH ROW WHEN (OLD.place IS DISTINCT FROM NEW.place) EXECUTE FUNCTION callmatrix_row_changed('matrix');

-- undo_again: another try of an undo that failed; those of the steps before it follow.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), run whose undo failed
-- RETURNS: 'retried', 'not_stuck' or 'missing'
local verdict = rarely().undo_again(ARGV[4])
close_rounds()
return verdict

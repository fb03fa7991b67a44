-- undo_again: another try of an undo that failed; those of the steps before it follow.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), run whose undo failed, line for the audit (JSON) or ''
-- RETURNS: 'retried', 'not_stuck' or 'missing'
local verdict = rarely().undo_again(ARGV[4])
if verdict == 'retried' and ARGV[5] ~= '' then audit(ARGV[5]) end
close_rounds()
return verdict

-- interrupt: a chain starts no further step; what it did stays done.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), turn
-- RETURNS: 'interrupted', 'terminal' (there was nothing to interrupt any more), 'no_chain' or 'missing'
local verdict = rarely().interrupt(ARGV[4])
close_rounds()
return verdict

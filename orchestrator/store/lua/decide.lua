-- decide: a person's word on a run that waits for it.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), run, 'approve' or 'deny', digest of what was decided on ('' = whatever is asked for), by whom, result of
--       a run that is denied (JSON), line for the audit (JSON) or ''
-- RETURNS: 'approved', 'denied', 'changed' (something else is asked for), 'decided' (nothing is asked for any more) or
--          'missing'
local verdict = rarely().decide(unpack(ARGV, 4, 9))
close_rounds()
return verdict

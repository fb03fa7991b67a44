-- cancel: ends a run that has not started; asks the pump of one that runs to stop it.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), run
-- RETURNS: 'cancelled', 'cancelling', 'undoing' (what it did is being taken back, which goes on), 'terminal' (it had
--          ended before) or 'missing'
local run = read(ARGV[4])
if not run.status then return 'missing' end
if not LIVE[run.status] then return 'terminal' end
local status = ladder().stop(run, 'cancelled')
close_rounds()
return status

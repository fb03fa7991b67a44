-- cancel: ends a run that has not started; asks the pump of one that runs to stop it.
-- NEEDS: base events ready settle
-- KEYS: [1] prefix
-- ARGV: frame(3), run
-- RETURNS: 'cancelled', 'cancelling', 'terminal' (it had ended before) or 'missing'
local run = read(ARGV[4])
if not run.status then return 'missing' end
if run.status == 'cancelling' then return 'cancelling' end
if run.status == 'running' then
  call('HSET', run_key(run.id), 's', 'cancelling', 'since', NOW)
  call('SADD', P .. 'cx:' .. run.pump, run.id)
  call('EXPIRE', P .. 'cx:' .. run.pump, 60)
  call('LPUSH', P .. 'ctl:' .. run.pump, run.id)
  call('EXPIRE', P .. 'ctl:' .. run.pump, 60)
  tell_run(run.conversation, run.id, 'cancelling', run.attempt)
  publish()
  return 'cancelling'
end
if run.status ~= 'blocked' and run.status ~= 'ready' and run.status ~= 'waiting' then return 'terminal' end
call('ZREM', P .. 'due', run.id)
settle(run, 'cancelled', CANCELLED)
close_rounds()
return 'cancelled'

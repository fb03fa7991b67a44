-- watch: from now on what happens to a run is told in a stream; to one of a conversation it is already.
-- NEEDS: base events
-- KEYS: [1] prefix
-- ARGV: frame(3), run
-- RETURNS: the stream's name: its conversation, or the run itself; '' if there is no such run
local id = ARGV[4]
local f = call('HMGET', run_key(id), 's', 'c', 'n')
if not f[1] then return '' end
if f[2] then return f[2] end
if LIVE[f[1]] and call('ZADD', P .. 'watched', 'NX', int(now + RUN_TTL * 1000000), id) == 1 then
  call('EXPIRE', P .. 'watched', RUN_TTL)
  tell_run(nil, id, f[1], f[3] or 0)
  publish()
end
return id

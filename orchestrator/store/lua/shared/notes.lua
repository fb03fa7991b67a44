-- notes: what the end of an attempt says beside its result, whatever that is.
local function take_notes(run, at, count)
  local by_key = {}
  for _, g in ipairs(guards_of(run.guards)) do
    if not g.lock then by_key[g.key] = g end
  end
  for d = at, at + (count - 1) * 3, 3 do
    local kind, key, value = unpack(ARGV, d, d + 2)
    if kind == 'spent' and by_key[key] then settle_cost(by_key[key], tonumber(value), call('HGET', run_key(run.id), 'tau') or '')
    elseif kind == 'cool' and by_key[key] then cool(key, value)
    elseif kind == 'check' then
      run.unknown = true
      call('HSET', run_key(run.id), 'chk', key, 'ex', (run.rare or run.hooked) and 2 or 1)
    elseif kind == 'unknown' then
      run.uncertain = call('HSET', run_key(run.id), 'uk', 1)
    elseif kind == 'rescue' then run.wants_rescue = true
    elseif kind == 'hooked' then
      run.hooked = value
      call('HSET', run_key(run.id), 'ha', value, 'ex', 2)
    elseif kind == 'apkey' then run.ask_key = key
    elseif kind == 'stop' then run.stops = true
    elseif kind == 'follow' then run.follows = true
    elseif kind == 'ghost' then
      run.haunts = true
      call('SADD', P .. 'held:' .. run.pump, run.id .. '~' .. run.fence)
    end
  end
end

-- Its next attempt comes later, unless its time is over by then.
local function put_off(run, verdict, result, delay, why)
  local till = now + delay * 1000
  if not run.unknown then call('HDEL', run_key(run.id), 'chk') end -- what it was to check is known now
  if verdict == 'postponed' then
    run.attempt = call('HINCRBY', run_key(run.id), 'n', -1)
  elseif run.deadline and till >= tonumber(run.deadline) then
    run.rescues = run.may_rescue
    return fail(run, 'expired', ENDS.expired)
  end
  leave(run)
  call('HSET', run_key(run.id), 's', 'waiting', 'y', why, 'since', NOW, 'until', int(till), 'e', result)
  call('HDEL', run_key(run.id), 'sus', 'k')
  call('ZADD', P .. 'due', int(till), run.id)
  if run.deadline then call('ZADD', P .. 'due', run.deadline, 'D' .. run.id) end
  tell_run(run.conversation, run.id, 'waiting', run.attempt, why)
end

G.take_notes, G.put_off = take_notes, put_off

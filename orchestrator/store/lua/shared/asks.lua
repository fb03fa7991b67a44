-- asks: what a person has to approve before a run starts, and what the pump is told of runs that few are like.
local settle = G.settle

local function drop_ask(id)
  call('ZREM', P .. 'asks', id)
  call('ZREM', P .. 'due', 'A' .. id)
end

-- A newer one under the same key takes the place of one that still waits.
local function ask(id, digest, ms, shown, key)
  local till = int(now + math.min(ms, 3.2e12) * 1000)
  call('HSET', run_key(id), 'ap', 'wanted', 'apd', digest, 'aps', NOW, 'apx', till, 'av', shown, 'ex', 2)
  call('ZADD', P .. 'asks', NOW, id)
  call('ZADD', P .. 'due', till, 'A' .. id)
  audit('{"run":"' .. id .. '","what":"approval wanted","digest":"' .. digest .. '"}')
  if key == '' then return end
  local earlier = call('GET', P .. 'ask:' .. key)
  local run = earlier and earlier ~= id and read(earlier) or {}
  if run.status == 'blocked' and run.approval == 'wanted' then settle(run, 'cancelled', G.ENDS.superseded) end
  call('SET', P .. 'ask:' .. key, id, 'PX', int(ms))
end

-- A pump has found that it needs an approval (the last one was for other arguments, or there was none).
local function ask_later(run, shown, ms, digest)
  G.leave(run)
  call('HINCRBY', run_key(run.id), 'n', -1)
  call('HSET', run_key(run.id), 's', 'blocked', 'y', 'approval', 'since', NOW, 'x', 1)
  call('HDEL', run_key(run.id), 'f', 'm')
  ask(run.id, digest, tonumber(ms), shown, run.ask_key or '')
  tell_run(run.conversation, run.id, 'blocked', run.attempt, 'approval')
end

local function unanswered(id)
  local run = read(id)
  if run.status == 'blocked' and run.approval == 'wanted' then G.fail(run, 'expired', G.ENDS.unapproved) end
end

-- The clocks stood still while somebody decided.
local function go_on(run)
  local id = run.id
  local f = call('HMGET', run_key(id), 'aps', 'dl', 'qd')
  local waited = now - tonumber(f[1])
  local late = f[2] and int(f[2] + waited)
  if late then call('HSET', run_key(id), 'dl', late) end
  if f[3] then call('HSET', run_key(id), 'qd', int(f[3] + waited)) end
  local first = late or f[3] and int(f[3] + waited)
  if f[3] and late then first = int(math.min(tonumber(late), f[3] + waited)) end
  if first then call('ZADD', P .. 'due', first, 'D' .. id) end
  call('HDEL', run_key(id), 'y', 'apx')
  G.count_down(id)
end

-- verdict: 'approve' or 'deny'. digest '': of whatever is asked for.
local function decide(id, verdict, digest, by, result)
  local run = read(id)
  if not run.status then return 'missing' end
  if run.status ~= 'blocked' or run.approval ~= 'wanted' then return 'decided' end
  if digest ~= '' and digest ~= run.approved then return 'changed' end
  if verdict == 'deny' then
    settle(run, 'denied', result)
    return 'denied'
  end
  drop_ask(id)
  call('HSET', run_key(id), 'ap', 'given', 'apw', by)
  go_on(run)
  return 'approved'
end

-- rest: JSON members that stand in the answer of a claim.
local function tell_pump(run, rest)
  local function put(name, value)
    if value then rest[#rest + 1] = '"' .. name .. '":' .. cjson.encode(value) end
  end
  put('undoes', run.of)
  put('rescue', run.rescue)
  if run.rescue then put('error', run.said) end
  if run.approval == 'given' then put('approved', run.approved) end
  put('hooked', run.hooked)
end

G.ask, G.ask_later, G.unanswered, G.decide, G.tell_pump = ask, ask_later, unanswered, decide, tell_pump

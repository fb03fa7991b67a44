-- asks: what a person has to approve before a run starts, and what the pump is told of runs that few are like.
local settle = G.settle

local function drop_ask(id)
  call('ZREM', P .. 'asks', id)
  call('ZREM', P .. 'due', 'A' .. id)
end

local outdone = {}

-- What the newer questions of this script have taken the place of. Only after all runs of it are recorded: those that
-- depend on one that ends here must be there to hear of it.
local function settle_outdone()
  local ids = outdone
  outdone = {}
  for _, id in ipairs(ids) do
    local run = read(id)
    if run.status == 'blocked' and run.approval == 'wanted' then settle(run, 'cancelled', G.ENDS.superseded) end
  end
end

-- A newer run under the same key takes the place of one that still waits.
local function ask(id, digest, ms, shown, key)
  local till = int(now + math.min(ms, 3.2e12) * 1000)
  call('HSET', run_key(id), 'ap', 'wanted', 'apd', digest, 'aps', NOW, 'apx', till, 'av', shown, 'ex', 2)
  call('ZADD', P .. 'asks', NOW, id)
  call('ZADD', P .. 'due', till, 'A' .. id)
  audit('{"run":"' .. id .. '","what":"approval wanted","digest":"' .. digest .. '"}')
  if key == '' then return end
  local earlier = call('GET', P .. 'ask:' .. key)
  if earlier and earlier ~= id then
    local f, at = call('HMGET', run_key(earlier), 'ap', 'at', 's'), call('HGET', run_key(id), 'at')
    if f[1] == 'wanted' and f[3] == 'blocked' and tonumber(f[2]) > tonumber(at) then -- that one is the newer
      outdone[#outdone + 1] = id
      return
    end
    outdone[#outdone + 1] = earlier
  end
  call('SET', P .. 'ask:' .. key, id, 'PX', int(ms))
end

-- A pump has found that it needs an approval (the last one was for other arguments, or there was none). It has not
-- begun, so what it took of its limits is given back.
local function ask_later(run, shown, ms, digest)
  local began = call('HGET', run_key(run.id), 'since')
  for _, g in ipairs(G.guards_of(run.guards)) do
    if not g.lock then G.give_back(g, began) end
  end
  G.leave(run)
  local n = call('HINCRBY', run_key(run.id), 'n', -1)
  call('HSET', run_key(run.id), 's', 'blocked', 'y', 'approval', 'since', NOW, 'x', 1)
  call('HDEL', run_key(run.id), 'f', 'm', unpack(n == 0 and { 'b' } or {}))
  ask(run.id, digest, tonumber(ms), shown, run.ask_key or '')
  tell_run(run.conversation, run.id, 'blocked', n, 'approval')
  settle_outdone()
end

local function unanswered(id)
  local run = read(id)
  if run.status == 'blocked' and run.approval == 'wanted' then G.fail(run, 'expired', G.ENDS.unapproved) end
end

-- The clocks of a run, and of those that wait for its end, stood still while somebody decided.
local function wind_on(run, waited, seen)
  if seen[run.id] or not LIVE[run.status or ''] then return end
  seen[run.id] = true
  local total = run.deadline and run.deadline + waited
  local queue = run.begin_by and not run.claimed and run.begin_by + waited
  if total then call('HSET', run_key(run.id), 'dl', int(total)) end
  if queue then call('HSET', run_key(run.id), 'qd', int(queue)) end
  if total or queue then
    call('ZADD', P .. 'due', int(math.min(total or queue, queue or total)), 'D' .. run.id)
  end
  for dependent in (run.dependents or ''):gmatch('[^!%s]+') do wind_on(read(dependent), waited, seen) end
end

-- Whether a person is being asked about a call of the same turn: what waits for its end cannot be late meanwhile.
local function somebody_decides(run)
  for id in (run.turn and call('HGET', P .. 't:' .. run.turn, 'ids') or ''):gmatch('%S+') do
    if call('HGET', run_key(id), 'ap') == 'wanted' then return true end
  end
  return false
end

-- verdict: 'approve' or 'deny'. digest '': of whatever is asked for.
local function decide(id, verdict, digest, by, result, line)
  local run = read(id)
  if not run.status then return 'missing' end
  if run.status ~= 'blocked' or run.approval ~= 'wanted' then return 'decided' end
  local f = call('HMGET', run_key(id), 'apx', 'aps')
  if tonumber(f[1]) <= now then -- nobody has looked since
    unanswered(id)
    return 'decided'
  end
  if digest ~= '' and digest ~= run.approved then return 'changed' end
  if line ~= '' then audit(line) end
  if verdict == 'deny' then
    settle(run, 'denied', result)
    return 'denied'
  end
  drop_ask(id)
  call('HSET', run_key(id), 'ap', 'given', 'apw', by)
  call('HDEL', run_key(id), 'y', 'apx')
  wind_on(run, now - tonumber(f[2]), {})
  G.count_down(id)
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

G.settle_outdone, G.somebody_decides = settle_outdone, somebody_decides
G.ask, G.ask_later, G.unanswered, G.decide, G.tell_pump = ask, ask_later, unanswered, decide, tell_pump

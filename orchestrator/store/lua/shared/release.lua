-- release: takes runs from a pump and makes them ready again; used by recovery, hand-back and reconciling.
local STRIKES = 3
local DEAD = '{"code":"dead","error":"the worker died each time this action ran alone; it will not be tried again"}'

-- A death makes its runs suspects: the first time they run again among others (a few in each pump), after the
-- second alone. Only a death while alone is a strike.
-- begun: whether its handler may have begun, so that its effect is unknown: the action has said what follows then.
local function take(pump, id, died, begun)
  if id:find('~', 1, true) then return ladder().lay(pump, id) end
  local run = read(id)
  call('SREM', P .. 'held:' .. pump, id)
  if run.pump ~= pump or not is_running(run) then return end
  if run.guards and begun and not died and run.lane:sub(-2) == '/t' then -- its thread goes on until the process ends
    run.haunts = true
    call('SADD', P .. 'held:' .. pump, id .. '~' .. run.fence)
  end
  if begun and run.chain then run.uncertain = call('HSET', run_key(id), 'uk', 1) end
  if run.status == 'cancelling' then
    if not begun then run.rescues = nil end
    return ladder().stopped(run)
  end
  if run.rescue then run.on_unknown = nil end -- it is its action's on_error that was begun
  if begun and run.on_unknown == 'fail' then return ladder().fail(run, 'failed', ladder().ENDS.unknown) end
  if run.more then ladder().leave(run) end
  if begun and run.on_unknown == 'check' then call('HSETNX', run_key(id), 'chk', 'death') end
  if died then
    call('HINCRBY', run_key(id), 'd', 1)
    if run.level == '2' then
      local strikes = call('HINCRBY', run_key(id), 'k', 1)
      if strikes >= STRIKES then return (run.rare and ladder().fail or settle)(run, 'dead', DEAD) end
    end
    run.level = run.level and '2' or '1'
    call('HSET', run_key(id), 'sus', run.level)
  else
    run.attempt = call('HINCRBY', run_key(id), 'n', -1)
  end
  if run.deadline then call('ZADD', P .. 'due', run.deadline, 'D' .. id) end
  call('HSET', run_key(id), 's', 'ready', 'y', died and 'worker_died' or 'handed_back', 'since', NOW)
  call('HDEL', run_key(id), 'f', 'm')
  make_ready(id, run.lane, run.priority, run.tenant, run.level, true)
  tell_run(run.conversation, id, 'ready', run.attempt, died and 'worker_died' or 'handed_back')
end

local function lanes_of(queues)
  local lanes = {}
  for _, queue in ipairs(queues) do
    lanes[#lanes + 1] = queue
    lanes[#lanes + 1] = queue .. '/t'
    lanes[#lanes + 1] = queue .. '/i'
  end
  return lanes
end

-- From now on nobody counts on this pump's next claim.
local function withdraw(pump, queues)
  for _, lane in ipairs(lanes_of(queues)) do
    call('ZREM', P .. 'slp:' .. lane, pump)
    call('ZREM', P .. 'hot:' .. lane, pump)
  end
end

local function touch_what_has_work(queues)
  for _, lane in ipairs(lanes_of(queues)) do
    if has_work(lane) then touched[lane] = true end
  end
end

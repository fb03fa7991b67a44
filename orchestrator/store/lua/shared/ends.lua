-- ends: what few ends of runs need: the texts of those that the store itself decides, dedupe, dependents, cancelling.
local ENDS = {
  cancelled = '{"code":"cancelled","error":"cancelled"}',
  superseded = '{"code":"superseded","error":"a newer call took its place"}',
  expired = '{"code":"expired","error":"its time was over before it could run"}',
  duplicate = '{"code":"duplicate","error":"the same call was made a short time ago"}',
  unapproved = '{"code":"approval_expired","error":"nobody approved it in time"}',
  dependency = '{"code":"dependency_failed","error":"not run: a call that it depends on did not succeed"}',
  unknown = '{"code":"outcome_unknown","error":"its worker stopped or died while this action ran; whether it took effect is not known"}',
}

local MOST_JOINED = 2000 -- what one run can end in its own last step

-- Dedupe: what becomes of a run that could start now and is the same as an earlier one (its status, and its result if
-- that is terminal); it takes that one's place if that came to no good end.
local function join(id, same, window, mode)
  local key = P .. 'dd:' .. same
  local first = call('GET', key)
  local earlier = first and first ~= id and read(first) or {}
  local lives = LIVE[earlier.status or '']
  if lives and mode == 'join' then
    if call('RPUSH', P .. 'jn:' .. first, id) <= MOST_JOINED then return 'blocked' end
    call('RPOP', P .. 'jn:' .. first)
  end
  if lives or (earlier.status == 'succeeded' and mode == 'refuse') then return 'refused', ENDS.duplicate end
  if earlier.status == 'succeeded' then return 'succeeded', call('HGET', run_key(first), 'r') end
  call('SET', key, id, 'PX', window)
  return 'ready'
end

-- Runs that joined this one end as it does; if it did not come to its end, the first of them takes its place.
local function end_joined(run, status, result)
  local heir, list = nil, P .. 'jn:' .. run.id
  local joined = call('LRANGE', list, 0, -1)
  call('DEL', list)
  for _, id in ipairs(joined) do
    local follower = read(id)
    if follower.status == 'blocked' then
      if status ~= 'cancelled' and status ~= 'refused' and status ~= 'expired' then
        if follower.rare then follower.joined = call('HSET', run_key(id), 'jd', 1) end
        settle(follower, status, result)
      elseif heir then call('RPUSH', P .. 'jn:' .. heir.id, id)
      else heir = follower end
    end
  end
  if not heir then return end
  call('HSET', run_key(heir.id), 's', 'ready', 'since', NOW)
  call('HDEL', run_key(heir.id), 'y')
  local first = call('GET', P .. 'dd:' .. run.same)
  if not first or first == run.id then call('SET', P .. 'dd:' .. run.same, heir.id, 'PX', run.window) end
  make_ready(heir.id, heir.lane, heir.priority, heir.tenant)
  tell_run(heir.conversation, heir.id, 'ready')
end

-- All that it depended on has ended.
local function unblock(run)
  if run.same then
    local status, result = join(run.id, run.same, run.window, run.mode)
    if status == 'blocked' then return call('HSET', run_key(run.id), 'y', 'joined') end
    if status ~= 'ready' then
      if run.rare then run.joined = call('HSET', run_key(run.id), 'jd', 1) end
      return settle(run, status, result)
    end
  end
  local delayed = run.approval and call('HGET', run_key(run.id), 'dy')
  if delayed and tonumber(delayed) > now then
    call('HSET', run_key(run.id), 's', 'waiting', 'y', 'delay', 'until', delayed, 'since', NOW)
    call('ZADD', P .. 'due', delayed, run.id)
    return tell_run(run.conversation, run.id, 'waiting', 0, 'delay')
  end
  call('HSET', run_key(run.id), 's', 'ready', 'since', NOW)
  make_ready(run.id, run.lane, run.priority, run.tenant)
  tell_run(run.conversation, run.id, 'ready')
end

-- One of those that it depended on has ended ('!' before its id: it needs that one's success), or was approved.
local function count_down(id, status)
  local needs = id:sub(1, 1) == '!'
  local run = read(needs and id:sub(2) or id)
  if run.status ~= 'blocked' or run.children then return end
  if needs and status ~= 'succeeded' then return settle(run, 'refused', ENDS.dependency) end
  if call('HINCRBY', run_key(run.id), 'x', -1) == 0 then unblock(run) end
end

-- A barrier stands between two groups of runs: one number, for naming each run of the second in each of the first would
-- make their product. What waits at it goes on some at a time.
local function open_barrier(name)
  local list = P .. 'bw:' .. name
  local waiting = call('LRANGE', list, 0, 499)
  call('LTRIM', list, 500, -1)
  for _, id in ipairs(waiting) do count_down(id) end
  if call('EXISTS', list) == 1 then call('ZADD', P .. 'due', NOW, 'B' .. name) end
end

local function lower_barrier(name)
  if call('DECR', P .. 'br:' .. name) > 0 then return end
  call('DEL', P .. 'br:' .. name)
  open_barrier(name)
end

-- A run ends badly: if it had begun, its action may have a word to say before.
local function fail(run, status, result)
  if run.rare and (run.rescue or run.rescues and tonumber(run.attempt or '0') > 0) then return rarely().rescue(run, status, result) end
  settle(run, status, result)
end

local function stopped(run)
  call('SREM', P .. 'cx:' .. run.pump, run.id)
  fail(run, 'cancelled', ENDS[call('HGET', run_key(run.id), 'cr') or 'cancelled'])
end

-- Ends a run that has not started; asks the pump of one that runs to stop it. why: a key of ENDS.
local function stop(run, why)
  local elsewhere = run.rare and rarely().stop_rare(run, why)
  if elsewhere then return elsewhere end
  if run.status == 'running' then
    call('HSET', run_key(run.id), 's', 'cancelling', 'since', NOW, 'cr', why)
    run.status = 'cancelling'
    call('SADD', P .. 'cx:' .. run.pump, run.id)
    call('EXPIRE', P .. 'cx:' .. run.pump, 60)
    call('LPUSH', P .. 'ctl:' .. run.pump, run.id)
    call('EXPIRE', P .. 'ctl:' .. run.pump, 60)
    tell_run(run.conversation, run.id, 'cancelling', run.attempt)
  elseif LIVE[run.status] and run.status ~= 'cancelling' then
    call('ZREM', P .. 'due', run.id)
    fail(run, 'cancelled', ENDS[why])
    run.status = run.phase or 'cancelled'
  end
  return run.status
end

G.ENDS, G.stop, G.stopped, G.join, G.end_joined, G.fail = ENDS, stop, stopped, join, end_joined, fail
G.count_down, G.open_barrier, G.lower_barrier = count_down, open_barrier, lower_barrier

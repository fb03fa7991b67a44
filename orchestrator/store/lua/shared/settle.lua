-- settle: the only end of a run, and what follows from it: dependents, its round, its turn, the next turn.
local rounds, closing = {}, {}
local function none() end
local replies, ended = {}, {}
local ENDS = {
  cancelled = '{"code":"cancelled","error":"cancelled"}',
  superseded = '{"code":"superseded","error":"a newer call took its place"}',
  expired = '{"code":"expired","error":"its time was over before it could run"}',
  duplicate = '{"code":"duplicate","error":"the same call was made a short time ago"}',
  unknown = '{"code":"outcome_unknown","error":"its worker stopped or died while this action ran; whether it took effect is not known"}',
}

-- What a turn and its conversation need when run `continuation` is to follow (turns.advance, or what the caller named).
local function continue(turn, conversation, round)
  local spec = call('HMGET', P .. 't:' .. turn, 'q', 'a', 'p', 'u')
  local id = 'run_' .. turn:sub(6) .. '.' .. int(round) .. '.next'
  call('HSET', run_key(id), 's', 'ready', 'q', spec[1], 'a', spec[2], 'p', spec[3], 'u', spec[4] or '', 't', turn,
    'c', conversation, 'i', 'next', 'since', NOW, 'at', NOW)
  make_ready(id, spec[1], spec[3], spec[4] or '')
  tell_run(conversation, id, 'ready')
end

local function move(conversation, state)
  call('HSET', P .. 'c:' .. conversation, 'st', state)
  call('HINCRBY', P .. 'c:' .. conversation, 'sr', 1)
  tell(conversation, '{"state":' .. cjson.encode(state) .. '}')
end

-- While a turn lives nothing of its conversation expires.
local function keep(conversation)
  for _, kind in ipairs({ 'c:', 'm:', 'ev:' }) do call('PERSIST', P .. kind .. conversation) end
end

local function start_turn(turn, conversation)
  local c = P .. 'c:' .. conversation
  call('RPUSH', P .. 'm:' .. conversation, call('HGET', P .. 't:' .. turn, 'msg'))
  call('HSET', c, 'live', turn, 's', 'live', 'was', turn)
  call('HINCRBY', c, 'rev', 1)
  call('HSET', P .. 't:' .. turn, 's', 'live')
  tell(conversation, '{"turn":"' .. turn .. '","status":"live"}')
  continue(turn, conversation, 0)
end

local function end_turn(turn, conversation, status)
  local t, c = P .. 't:' .. turn, P .. 'c:' .. conversation
  call('HSET', t, 's', status, 'ended', NOW)
  call('EXPIRE', t, RUN_TTL)
  tell(conversation, '{"turn":"' .. turn .. '","status":"' .. status .. '"}')
  local f = call('HMGET', c, 'live', 's', 'del')
  if f[1] ~= turn then return end
  call('HDEL', c, 'live')
  if f[2] == 'live' then call('HSET', c, 's', 'idle') end
  if f[3] then return call('ZADD', P .. 'due', NOW, 'X' .. conversation) end -- it is to be forgotten
  local following = call('LPOP', P .. 'in:' .. conversation)
  if following then return start_turn(following, conversation) end
  closing[#closing + 1] = conversation
end

local settle
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
      if status ~= 'cancelled' and status ~= 'refused' and status ~= 'expired' then settle(follower, status, result)
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
    if status ~= 'ready' then return settle(run, status, result) end
  end
  call('HSET', run_key(run.id), 's', 'ready', 'since', NOW)
  make_ready(run.id, run.lane, run.priority, run.tenant)
  tell_run(run.conversation, run.id, 'ready')
end

-- A run of a round is kept until the round is complete, however long that takes: close reads its result.
settle = function(run, status, result)
  call('HSET', run_key(run.id), 's', status, 'r', result, 'since', NOW)
  if run.more then
    ladder().leave(run)
    if run.deadline or run.begin_by then call('ZREM', P .. 'due', 'D' .. run.id) end
    if run.same then end_joined(run, status, result) end
  end
  if run.position == 'next' or not run.turn then call('EXPIRE', run_key(run.id), RUN_TTL) end
  tell_run(run.conversation, run.id, status, run.attempt)
  for dependent in run.dependents and run.dependents:gmatch('%S+') or none do
    local next_run = read(dependent)
    if next_run.status == 'blocked' and call('HINCRBY', run_key(dependent), 'x', -1) == 0 then unblock(next_run) end
  end
  if run.reply then
    local list = replies[run.reply] or {}
    replies[run.reply] = list
    list[#list + 1] = run.id .. ' ' .. status .. ' ' .. result
  end
  if run.position == 'next' then
    if run.opened then return end
    if status ~= 'succeeded' then call('HSET', P .. 't:' .. run.turn, 'e', result) end
    local how = status == 'succeeded' and 'done' or status == 'cancelled' and status or 'failed'
    end_turn(run.turn, run.conversation, how)
  elseif run.turn then
    rounds[run.turn] = (rounds[run.turn] or 0) + 1
    ended[run.id] = { run.head, result }
  end
end

local function stopped(run)
  call('SREM', P .. 'cx:' .. run.pump, run.id)
  settle(run, 'cancelled', ENDS[call('HGET', run_key(run.id), 'cr') or 'cancelled'])
end

-- Ends a run that has not started; asks the pump of one that runs to stop it. why: a key of ENDS.
local function stop(run, why)
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
    settle(run, 'cancelled', ENDS[why])
    run.status = 'cancelled'
  end
  return run.status
end

-- The results of a complete round go to the conversation together, in call order; then the turn goes on or ends.
local function close(turn, count)
  local t = P .. 't:' .. turn
  if call('HINCRBY', t, 'left', 0 - count) > 0 then return end
  local f = call('HMGET', t, 'c', 'ids', 'go', 'stop', 'round', 'max')
  local conversation, messages = f[1], {}
  for id in (f[2] or ''):gmatch('%S+') do
    local run = ended[id] or call('HMGET', run_key(id), 'h', 'r')
    messages[#messages + 1] = run[1] .. cjson.encode(run[2]) .. '}'
    call('EXPIRE', run_key(id), RUN_TTL)
  end
  if #messages > 0 then
    call('RPUSH', P .. 'm:' .. conversation, unpack(messages))
    call('HINCRBY', P .. 'c:' .. conversation, 'rev', 1)
  end
  local following = tonumber(f[5]) + 1
  if not f[3] or f[4] then
    end_turn(turn, conversation, f[4] == 'cancelled' and f[4] or 'done')
  elseif following >= tonumber(f[6]) then
    end_turn(turn, conversation, 'max_rounds')
  else
    continue(turn, conversation, following)
  end
end

-- To be called once, at the end of each script that may have settled something.
local function close_rounds(except)
  for turn, count in pairs(rounds) do close(turn, count) end
  for reply, list in pairs(replies) do
    call_each('RPUSH', P .. 'z:' .. reply, list)
    call('PEXPIRE', P .. 'z:' .. reply, 60000)
  end
  wake_touched(except)
  publish()
  for _, conversation in ipairs(closing) do
    for _, kind in ipairs({ 'c:', 'm:', 'ev:' }) do call('EXPIRE', P .. kind .. conversation, CONVERSATION_TTL) end
  end
  if write_charges then write_charges() end
end

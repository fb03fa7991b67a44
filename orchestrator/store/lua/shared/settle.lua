-- settle: the only end of a run, and what follows from it: dependents, its round, its turn, the next turn.
local rounds, closing = {}, {}
local function none() end
local replies, ended = {}, {}
local APART = { f = true, undo = true, chain = true } -- places of runs that are no calls of a round
local BAD = { dead = true, failed = true, timed_out = true }

local function note_end(run, status, result)
  audit('{"run":"' .. run.id .. '","what":"ended","status":"' .. status .. '"'
    .. (status ~= 'succeeded' and (',' .. (result:match('"code":"[%w_.-]+"') or '"code":""')) or '') .. '}')
end

-- What a turn and its conversation need when run `continuation` is to follow (turns.advance, or what the caller named).
local function continue(turn, conversation, round)
  local spec = call('HMGET', P .. 't:' .. turn, 'q', 'a', 'p', 'u', 'inj')
  if spec[5] then rarely().take_in(turn, conversation) end
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
  local message = call('HGET', P .. 't:' .. turn, 'msg')
  if message ~= '' then call('RPUSH', P .. 'm:' .. conversation, message) end -- a reply that waited is no message yet
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
  local f = call('HMGET', c, 'live', 's', 'del', 'no')
  if f[1] ~= turn then return end
  call('HDEL', c, 'live')
  if f[4] then rarely().flush_notes(conversation) end
  local after = status ~= 'cancelled' and not f[3] and call('HMGET', t, 'ev', 'ans')
  if after and after[1] then rarely().evaluate(turn, conversation, after[1], after[2]) end
  if f[2] == 'live' then call('HSET', c, 's', 'idle') end
  if f[3] then return call('ZADD', P .. 'due', NOW, 'X' .. conversation) end -- it is to be forgotten
  local following = call('LPOP', P .. 'in:' .. conversation)
  if following then return start_turn(following, conversation) end
  closing[#closing + 1] = conversation
end

-- A run of a round is kept until the round is complete, however long that takes: close reads its result.
local function settle(run, status, result)
  call('HSET', run_key(run.id), 's', status, 'r', result, 'since', NOW)
  if AUDIT_CAP ~= '0' and run.position ~= 'next' and run.position ~= 'chain' then note_end(run, status, result) end
  if BAD[status] and not run.of then
    call('ZADD', P .. 'dead', NOW, run.id)
    call('EXPIRE', P .. 'dead', RUN_TTL)
  end
  if run.more then
    ladder().leave(run)
    if run.deadline or run.begin_by then call('ZREM', P .. 'due', 'D' .. run.id) end
    if run.same then ladder().end_joined(run, status, result) end
    if run.rare then rarely().ending(run, status, result) end
  end
  local apart = not run.turn or run.position == 'next' or APART[run.position]
  if apart and not (run.turn and run.position == 'f') then call('EXPIRE', run_key(run.id), RUN_TTL) end
  tell_run(run.conversation, run.id, status, run.attempt)
  for dependent in run.dependents and run.chain ~= 'lead' and run.dependents:gmatch('%S+') or none do
    ladder().count_down(dependent, status)
  end
  if run.barrier then ladder().lower_barrier(run.barrier) end
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
  elseif run.rare and (run.chain or run.parent or run.of) then
    rarely().has_ended(run, status, result)
  elseif not apart then
    rounds[run.turn] = (rounds[run.turn] or 0) + 1
    ended[run.id] = { run.head, result }
  end
end

-- The results of a complete round go to the conversation together, in call order; then the turn goes on or ends.
local function close(turn, count)
  local t = P .. 't:' .. turn
  if call('HINCRBY', t, 'left', 0 - count) > 0 then return end
  local f = call('HMGET', t, 'c', 'ids', 'go', 'stop', 'round', 'max')
  local conversation, messages = f[1], {}
  for id in (f[2] or ''):gmatch('%S+') do
    local run = ended[id] or call('HMGET', run_key(id), 'h', 'r')
    if run[1] then messages[#messages + 1] = run[1] .. cjson.encode(run[2] or 'null') .. '}' end
    call('EXPIRE', run_key(id), RUN_TTL)
  end
  if #messages > 0 then
    call_each('RPUSH', P .. 'm:' .. conversation, messages)
    call('HINCRBY', P .. 'c:' .. conversation, 'rev', 1)
  end
  local following = tonumber(f[5]) + 1
  if not f[3] or f[4] then
    end_turn(turn, conversation, f[4] and f[4] ~= '1' and f[4] or 'done')
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

-- So many calls of a round have come to their end, each with what the model is told: { head, text }.
local function count_in(turn, told)
  for id, each in pairs(told) do
    rounds[turn] = (rounds[turn] or 0) + 1
    ended[id] = each
  end
end

G.settle, G.close_rounds, G.end_turn, G.count_in = settle, close_rounds, end_turn, count_in

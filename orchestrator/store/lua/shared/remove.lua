-- remove: takes away what is left of a conversation whose last turn has ended, some turns at a time, the newest first.
-- A run that ended while it waited may still stand in a FIFO: it leaves that too, for its id may come again.
local remove_run
remove_run = function(id)
  local f = call('HMGET', run_key(id), 'kids', 'un', 'ap')
  for child in (f[1] or ''):gmatch('%S+') do remove_run(child) end
  for at = 1, tonumber(f[2] or '0') do remove_run(id .. '.undo' .. (at > 1 and int(at) or '')) end
  if f[3] then
    call('ZREM', P .. 'asks', id)
    call('ZREM', P .. 'due', 'A' .. id)
  end
  call('ZREM', P .. 'dead', id)
  call('ZREM', P .. 'stuck', id)
  for _, g in ipairs(guards_of(call('HGET', run_key(id), 'g') or '')) do
    call('LREM', g.list, 0, id)
    if not g.lock then call('ZREM', P .. 'lp:' .. g.key, id) end
  end
  call('DEL', run_key(id))
end

local function remove_turn(turn)
  local flat, fields = call('HGETALL', P .. 't:' .. turn), {}
  for at = 1, #flat, 2 do fields[flat[at]] = flat[at + 1] end
  if not fields.c then return nil end
  local prefix = 'run_' .. turn:sub(6) .. '.'
  for round = 0, tonumber(fields.round or '-1') + 1 do
    remove_run(prefix .. round .. '.next')
    remove_run(prefix .. round .. '.chain')
    call('DEL', P .. 'ch:' .. turn:sub(6) .. '.' .. round)
    for at = 0, tonumber(fields['n' .. round] or '0') - 1 do remove_run(prefix .. round .. '.' .. at) end
  end
  for at = 0, fields.ev and #cjson.decode(fields.ev) - 1 or -1 do remove_run(prefix .. 'ev.' .. int(at)) end
  call('DEL', P .. 't:' .. turn)
  return fields.prev or ''
end

-- Turns name the one before them: from the newest, and from the newest that lived (one that was cancelled while it
-- waited may have gone before).
local function remove(conversation)
  local c = P .. 'c:' .. conversation
  local f = call('HMGET', c, 'live', 'last', 'was', 'del')
  if f[1] or not f[4] then return end
  local budget = 100
  for at, field in ipairs({ 'last', 'was' }) do
    local turn = f[at + 1] or ''
    while turn ~= '' and budget > 0 do
      turn, budget = remove_turn(turn) or '', budget - 1
    end
    call('HSET', c, field, turn)
    if turn ~= '' then return call('ZADD', P .. 'due', NOW, 'X' .. conversation) end
  end
  for _, kind in ipairs({ 'c:', 'm:', 'in:', 'ev:', 'no:' }) do call('DEL', P .. kind .. conversation) end
  call('ZREM', P .. 'due', 'X' .. conversation)
  forgotten[conversation] = true -- what this very script has to tell of it is told to nobody
end

G.remove = remove

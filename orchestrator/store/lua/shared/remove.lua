-- remove: takes away what is left of a conversation whose last turn has ended, some turns at a time, the newest first.
-- A run that ended while it waited may still stand in a FIFO: it leaves that too, for its id may come again.
local remove_run, lives

-- Whether it, or what belongs to it, still has to come to its end; it is asked to.
lives = function(id)
  local f = call('HMGET', run_key(id), 's', 'kids', 'un', 'rp')
  local found = LIVE[f[1] or '']
  if found then
    local run = read(id)
    run.freed = true
    G.stop(run, 'cancelled')
    found = LIVE[call('HGET', run_key(id), 's')]
  end
  for child in (f[2] or ''):gmatch('%S+') do found = lives(child) or found end
  if f[4] then found = lives(f[4]) or found end
  local n = tonumber(f[3] or '0')
  if n > 0 then found = lives(id .. '.undo' .. (n > 1 and int(n) or '')) or found end
  return found
end

remove_run = function(id)
  local f = call('HMGET', run_key(id), 'kids', 'un', 'ap', 'rp')
  if f[4] then remove_run(f[4]) end
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

-- '' or the turn before it; nil: there is none; false: something of it still lives.
local function remove_turn(turn)
  local flat, fields = call('HGETALL', P .. 't:' .. turn), {}
  for at = 1, #flat, 2 do fields[flat[at]] = flat[at + 1] end
  if not fields.c then return nil end
  local prefix, ids, live = 'run_' .. turn:sub(6) .. '.', {}, false
  for round = 0, tonumber(fields.round or '-1') + 1 do
    ids[#ids + 1] = prefix .. round .. '.next'
    ids[#ids + 1] = prefix .. round .. '.chain'
    for at = 0, tonumber(fields['n' .. round] or '0') - 1 do ids[#ids + 1] = prefix .. round .. '.' .. int(at) end
  end
  for at = 0, fields.ev and #cjson.decode(fields.ev) - 1 or -1 do ids[#ids + 1] = prefix .. 'ev.' .. int(at) end
  for _, id in ipairs(ids) do live = lives(id) or live end
  if live then return false end
  for _, id in ipairs(ids) do remove_run(id) end
  for round = 0, tonumber(fields.round or '-1') + 1 do call('DEL', P .. 'ch:' .. turn:sub(6) .. '.' .. round) end
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
      local before = remove_turn(turn)
      if before == false then return call('ZADD', P .. 'due', int(now + 200000), 'X' .. conversation) end
      turn, budget = before or '', budget - 1
      call('HSET', c, field, turn)
    end
    call('HSET', c, field, turn)
    if turn ~= '' then return call('ZADD', P .. 'due', NOW, 'X' .. conversation) end
  end
  for _, kind in ipairs({ 'c:', 'm:', 'in:', 'ev:', 'no:' }) do call('DEL', P .. kind .. conversation) end
  call('ZREM', P .. 'due', 'X' .. conversation)
  forgotten[conversation] = true -- what this very script has to tell of it is told to nobody
end

G.remove = remove

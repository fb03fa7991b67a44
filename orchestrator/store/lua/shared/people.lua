-- people: notes to a conversation, and what is run after a turn of it.

-- A note is a message of the user's side that is no user's: what it tells may be anybody's words, so no more is trusted.
-- It waits while a turn lives, for nothing may stand between calls and their results.
local LONGEST_NOTE = 4000

local function note(conversation, text)
  if #text > LONGEST_NOTE then -- cut between two characters of UTF-8
    text = text:sub(1, LONGEST_NOTE):gsub('[\192-\255][\128-\191]*$', '') .. ' …'
  end
  local c = P .. 'c:' .. conversation
  local f = call('HMGET', c, 'live', 's', 'del')
  if not f[2] or f[3] then return end
  local message = '{"role":"user","name":"umbel","content":' .. cjson.encode(text) .. '}'
  if f[1] then
    call('RPUSH', P .. 'no:' .. conversation, message)
    call('HSET', c, 'no', 1)
    return
  end
  call('RPUSH', P .. 'm:' .. conversation, message)
  call('EXPIRE', P .. 'm:' .. conversation, CONVERSATION_TTL)
  call('HINCRBY', c, 'rev', 1)
end

local function flush_notes(conversation)
  local list = P .. 'no:' .. conversation
  call_each('RPUSH', P .. 'm:' .. conversation, call('LRANGE', list, 0, -1))
  call('DEL', list)
  call('HDEL', P .. 'c:' .. conversation, 'no')
  call('HINCRBY', P .. 'c:' .. conversation, 'rev', 1)
end

-- rows: a JSON list of [when, row of values] for each evaluator; when: 'answered' or 'always'.
local function evaluate(turn, conversation, rows, answered)
  for _, each in ipairs(cjson.decode(rows)) do
    local when, row = each[1], G.values_of(each[2])
    if when == 'always' or answered then G.record(conversation, nil, unpack(row)) end
  end
  G.settle_recorded()
end

-- A turn that is to go into the live one, at its next round: it waits in front of those that are to follow, behind those
-- that came for the same before it and whoever has interrupted the live one (they all have a mark).
local function wait_to_go_in(turn, live, conversation)
  local list, before, at = P .. 'in:' .. conversation, nil, 0
  local id = call('LINDEX', list, 0)
  while id and call('HEXISTS', P .. 't:' .. id, 'ij') == 1 do
    before, at = id, at + 1
    id = call('LINDEX', list, at)
  end
  call('HSET', P .. 't:' .. turn, 'ij', 1)
  call('HSET', P .. 't:' .. live, 'inj', 1)
  if before then call('LINSERT', list, 'AFTER', before, turn) else call('LPUSH', list, turn) end
end

-- What waits to go into this turn goes in: between the results of a round and what the model is asked next.
local function take_in(turn, conversation)
  local list = P .. 'in:' .. conversation
  local id = call('LINDEX', list, 0)
  while id and call('HGET', P .. 't:' .. id, 'ij') == '1' do
    call('LPOP', list)
    call('RPUSH', P .. 'm:' .. conversation, call('HGET', P .. 't:' .. id, 'msg'))
    call('HSET', P .. 't:' .. id, 's', 'injected', 'into', turn, 'ended', NOW)
    call('EXPIRE', P .. 't:' .. id, RUN_TTL)
    call('HINCRBY', P .. 'c:' .. conversation, 'rev', 1)
    tell(conversation, '{"turn":"' .. id .. '","status":"injected","into":"' .. turn .. '"}')
    id = call('LINDEX', list, 0)
  end
  call('HDEL', P .. 't:' .. turn, 'inj')
end

G.note, G.flush_notes, G.evaluate, G.wait_to_go_in, G.take_in = note, flush_notes, evaluate, wait_to_go_in, take_in

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

G.note, G.flush_notes, G.evaluate = note, flush_notes, evaluate

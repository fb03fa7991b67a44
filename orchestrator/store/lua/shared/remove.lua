-- remove: takes away what is left of a conversation whose last turn has ended, some turns at a time, the newest first.
local function remove(conversation)
  local c = P .. 'c:' .. conversation
  local f = call('HMGET', c, 'live', 'last', 'del')
  if f[1] or not f[3] then return end
  local turn = f[2]
  for _ = 1, 100 do
    local t = turn and call('HGETALL', P .. 't:' .. turn) or {}
    if #t == 0 then
      for _, kind in ipairs({ 'c:', 'm:', 'in:', 'ev:' }) do call('DEL', P .. kind .. conversation) end
      call('ZREM', P .. 'due', 'X' .. conversation)
      return
    end
    local prefix, gone = RUN .. 'run_' .. turn:sub(6) .. '.', {}
    local fields = {}
    for at = 1, #t, 2 do fields[t[at]] = t[at + 1] end
    for round = 0, tonumber(fields.round or '-1') + 1 do
      gone[#gone + 1] = prefix .. round .. '.next'
      for at = 0, tonumber(fields['n' .. round] or '0') - 1 do gone[#gone + 1] = prefix .. round .. '.' .. at end
    end
    for at = 1, #gone, 5000 do call('DEL', unpack(gone, at, math.min(at + 4999, #gone))) end
    call('DEL', P .. 't:' .. turn)
    turn = fields.prev ~= '' and fields.prev or nil
    if turn then call('HSET', c, 'last', turn) else call('HDEL', c, 'last') end
  end
  call('ZADD', P .. 'due', NOW, 'X' .. conversation)
end

G.remove = remove

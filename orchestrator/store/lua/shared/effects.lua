-- effects: what a run's directives change in its conversation: all of them or, if its state has moved on, none.
local CONFLICT = '{"code":"state_conflict","error":"the conversation\'s state changed while this action ran"}'

local function apply(run, at, count)
  local c = P .. 'c:' .. run.conversation
  if (not run.turn or run.of) and call('EXISTS', c) == 0 then return true end -- it was forgotten meanwhile
  for d = at, at + (count - 1) * 3, 3 do
    if ARGV[d] == 'transition' and call('HGET', c, 'sr') ~= ARGV[d + 1] then return false end
  end
  for d = at, at + (count - 1) * 3, 3 do
    local kind, key, value = unpack(ARGV, d, d + 2)
    if kind == 'transition' then
      move(run.conversation, value)
    elseif kind == 'set' then
      call('HSET', c, 'x:' .. key, value)
    elseif kind == 'append' then
      local list = call('HGET', c, 'x:' .. key)
      local joined = list and list ~= '[]' and list:sub(1, 1) == '[' and list:sub(1, -2) .. ',' .. value .. ']'
      call('HSET', c, 'x:' .. key, joined or '[' .. value .. ']')
    elseif kind == 'remember' then
      call(value == '' and 'HDEL' or 'HSET', c, 'k:' .. key, unpack(value == '' and {} or { value }))
    elseif kind == 'participant' then
      call(value == '-' and 'HDEL' or 'HSET', c, 'p:' .. key, unpack(value == '-' and {} or { value }))
    elseif kind == 'complete' then
      call('HSET', c, 's', 'completed')
      if run.turn then call('HSET', P .. 't:' .. run.turn, 'stop', 1) end
    elseif kind == 'continue' and run.turn and call('HGET', P .. 't:' .. run.turn, 'q') ~= '' then
      call('HSET', P .. 't:' .. run.turn, 'go', 1)
    end
  end
  return true
end

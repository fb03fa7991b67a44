-- stopping: ends a turn: none of its calls starts any more, those that run are stopped, and no round follows. A chain
-- that is being undone goes on with that, and the turn ends when it has settled.
local function stop_turn(turn, how, forget)
  local t = P .. 't:' .. turn
  local f = call('HMGET', t, 's', 'c', 'ids', 'round')
  if not f[1] then return 'missing' end
  if f[1] == 'queued' then
    call('LREM', P .. 'in:' .. f[2], 1, turn)
    G.end_turn(turn, f[2], 'cancelled')
    return 'cancelled'
  end
  if f[1] ~= 'live' then return 'terminal' end
  call('HSET', t, 'stop', how)
  local chain = call('HMGET', P .. 'ch:' .. turn:sub(6) .. '.' .. f[4], 'un', 'settled')
  if chain[1] and not chain[2] and not forget then return 'undoing' end
  local ids = { 'run_' .. turn:sub(6) .. '.' .. int(tonumber(f[4]) + 1) .. '.next' }
  for id in (f[3] or ''):gmatch('%S+') do ids[#ids + 1] = id end
  for _, id in ipairs(ids) do
    local run = read(id)
    if LIVE[run.status or ''] then ladder().stop(run, 'cancelled') end
  end
  return 'cancelling'
end

G.stop_turn = stop_turn

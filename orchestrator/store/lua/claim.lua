-- claim: gives a pump the runs that it starts now, and notes in the same step whether it sleeps, is hot or is full.
-- NEEDS: base events ready [settle ends guards limits fifos ladder parking remove] {record asks chains undoing follow rescue people stopping} due admit
-- KEYS: [1] prefix
-- ARGV: frame(3), pump, name of its worker, lease ms, nap ms (how long it will sleep if there is nothing), runs it
--       has in flight, room for suspects, ms that a run waits at a limit in its place, shares of the tenants (see
--       admit), then lane and room for each lane; lanes of one kind ('…/t') share one room
-- RETURNS: { verdict, fence, ms until something is due (-1: nothing), runs it holds, then 13 values for each run: id, lane, payload,
--          attempt, conversation, turn, tenant, state, state revision, level, machine, principal, the rest as JSON or '' }
--          verdict: 'ok', 'alone' (one run, and nothing beside it), 'drain' (a run wants to be alone: end the others)
--          or 'lost' (the lease is over and the runs in flight belong to others)
local pump, worker, lease, nap, flying, suspects, patience, shares = unpack(ARGV, 4, 11)
flying, suspects, PATIENCE = tonumber(flying), tonumber(suspects), tonumber(patience) * 1000
if flying > 0 and tonumber(call('ZSCORE', P .. 'live', pump) or '0') < now then return { 'lost', '0', -1, 0 } end
local lanes, rooms, own = {}, {}, ''
for at = 12, #ARGV, 2 do
  local kind = ARGV[at]:match('/.*$') or ''
  lanes[#lanes + 1] = { name = ARGV[at], kind = kind }
  rooms[kind] = math.min(rooms[kind] or math.huge, tonumber(ARGV[at + 1]))
  own = own .. base_queue(ARGV[at]) .. ' '
end
call('ZADD', P .. 'live', int(now + lease * 1000), pump)
call('DEL', P .. 'wake:' .. pump) -- whatever it was woken for, this claim sees it
local fence = int(math.max(floor + 1, now))
call('SET', P .. 'fence', fence)
move_due(100)
local function begin(id) return start(id, pump, fence, worker) end

local verdict = 'ok'
for _, lane in ipairs(lanes) do
  local list, token = P .. 'alone:' .. lane.name, P .. 'alonetok:' .. lane.name
  if verdict == 'ok' and some_wait_alone(list) then
    if flying == 0 then
      repeat local id = call('LPOP', list) until not id or begin(id)
      if #held > 0 then verdict = 'alone' end
    elseif call('SET', token, pump, 'NX', 'PX', 5000) or call('GET', token) == pump then
      call('PEXPIRE', token, 5000)
      verdict = 'drain' -- until this one has emptied itself no other has to
    end
  end
end
for _, lane in ipairs(lanes) do
  local before = suspects
  lane.room = rooms[lane.kind]
  while verdict == 'ok' and suspects > 0 and lane.room > 0 do
    local id = call('LPOP', P .. 'sus:' .. lane.name)
    if not id then break end
    if begin(id) then lane.room, suspects = lane.room - 1, suspects - 1 end
  end
  if verdict == 'ok' then share_out(lane, fence, begin, shares) end
  rooms[lane.kind] = verdict == 'ok' and lane.room or 0
  lane.suspected = suspects < before
end
call_each('SADD', P .. 'held:' .. pump, held)
set_posture(pump, lanes, rooms, nap)
conclude(own) -- what was due, refused or expired may lie on queues of others
for _, lane in ipairs(lanes) do
  if (rooms[lane.kind] <= 0 or lane.suspected) and has_work(lane.name) then wake(lane.name, true) end
end
return answer(pump, verdict, fence, lanes, rooms)

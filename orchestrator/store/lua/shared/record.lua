-- record: writes the records of new runs. A run is RUN_FIELDS values of ARGV, '' where it has none.
local RUN_FIELDS = 12

local function record(at, conversation, turn)
  local id, status, lane, priority, tenant, payload, position, head, result, open, dependents, reply =
    unpack(ARGV, at, at + RUN_FIELDS - 1)
  local row, n = { 's', status, 'q', lane, 'p', priority, 'a', payload, 'since', NOW }, 10
  if tenant ~= '' then row[n + 1], row[n + 2], n = 'u', tenant, n + 2 end
  if conversation then row[n + 1], row[n + 2], row[n + 3], row[n + 4], n = 'c', conversation, 't', turn, n + 4 end
  if position ~= '' then row[n + 1], row[n + 2], n = 'i', position, n + 2 end
  if head ~= '' then row[n + 1], row[n + 2], n = 'h', head, n + 2 end
  if open ~= '' then row[n + 1], row[n + 2], n = 'x', open, n + 2 end
  if dependents ~= '' then row[n + 1], row[n + 2], n = 'nx', dependents, n + 2 end
  if reply ~= '' then row[n + 1], row[n + 2], n = 'z', reply, n + 2 end
  call('HSET', RUN .. id, unpack(row, 1, n))
  if status == 'ready' then
    make_ready(id, lane, priority, tenant)
  elseif status ~= 'blocked' then
    settle({ id = id, turn = turn, conversation = conversation, position = position, head = head,
      reply = reply ~= '' and reply or nil }, status, result)
    return id
  end
  tell_run(conversation, id, status)
  return id
end

-- record: writes the records of new runs. A run is RUN_FIELDS values of ARGV, '' where it has none.
local RUN_FIELDS = 12

local function record(at, conversation, turn)
  local id, status, lane, priority, tenant, payload, position, head, result, open, dependents, reply =
    unpack(ARGV, at, at + RUN_FIELDS - 1)
  local row = { 's', status, 'q', lane, 'p', priority, 'a', payload, 'since', int(now) }
  local function put(field, value)
    if value and value ~= '' then
      row[#row + 1] = field
      row[#row + 1] = value
    end
  end
  put('u', tenant)
  put('c', conversation)
  put('t', turn)
  put('i', position)
  put('h', head)
  put('x', open)
  put('nx', dependents)
  put('z', reply)
  call('HSET', run_key(id), unpack(row))
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

-- record: writes the records of new runs. A run is RUN_FIELDS values, '' where it has none.
local RUN_FIELDS, over = 14, {}

-- What few runs have: guards, deadlines, a digest, what it is the same as, a delay.
local function record_more(id, more, row)
  local n = #row
  local function put(name, value)
    if value then row[n + 1], row[n + 2], n = name, value, n + 2 end
  end
  put('ex', (more.rare or more.ask) and 2 or 1)
  for name, value in pairs(more.rare or {}) do put(name, value) end
  put('g', more.g)
  put('until', more.till)
  put('ou', more.ou)
  put('dg', more.dg)
  put('br', more.before)
  if more.before then call('INCR', P .. 'br:' .. more.before) end
  local total, queue = more.total and now + more.total * 1000, more.queue and now + more.queue * 1000
  put('dl', total and int(total))
  put('qd', queue and int(queue))
  if total or queue then call('ZADD', P .. 'due', int(math.min(total or queue, queue or total)), 'D' .. id) end
  if more.dd then
    put('dd', more.dd)
    put('ddms', int(more.ddms))
    put('ddmode', more.ddmode)
  end
end

local function record(conversation, turn, id, status, lane, priority, tenant, payload, position, head, result, open,
  dependents, reply, rest, line)
  local more, why = rest ~= '' and cjson.decode(rest) or nil, nil
  if line ~= '' then audit(line) end
  if position ~= 'chain' then list_run(tenant, id) end
  conversation = conversation or more and more.conv
  if more and more.ask and LIVE[status] then
    status, open, why = 'blocked', int((tonumber(open) or 0) + 1), 'approval'
    if more.delay then more.rare = more.rare or {}; more.rare.dy = int(now + more.delay * 1000) end
  end
  if more and more.after and LIVE[status] and call('EXISTS', P .. 'br:' .. more.after) == 1 then
    call('RPUSH', P .. 'bw:' .. more.after, id)
    status, open = 'blocked', int((tonumber(open) or 0) + 1)
  end
  if more and more.dd and status == 'ready' then
    local said
    status, said = ladder().join(id, more.dd, int(more.ddms), more.ddmode)
    result, why = said or result, status == 'blocked' and 'joined' or nil
    if status ~= 'ready' and more.rare then more.rare.jd = 1 end
  end
  if more and more.delay and status == 'ready' then
    status, why, more.till = 'waiting', 'delay', int(now + more.delay * 1000)
    call('ZADD', P .. 'due', more.till, id)
    touched[lane] = true -- so that a pump learns of it
  end
  local row, n = { 's', status, 'q', lane, 'p', priority, 'a', payload, 'since', NOW, 'at', NOW }, 12
  if tenant ~= '' then row[n + 1], row[n + 2], n = 'u', tenant, n + 2 end
  if conversation then row[n + 1], row[n + 2], n = 'c', conversation, n + 2 end
  if turn then row[n + 1], row[n + 2], n = 't', turn, n + 2 end
  if position ~= '' then row[n + 1], row[n + 2], n = 'i', position, n + 2 end
  if head ~= '' then row[n + 1], row[n + 2], n = 'h', head, n + 2 end
  if open ~= '' then row[n + 1], row[n + 2], n = 'x', open, n + 2 end
  if dependents ~= '' then row[n + 1], row[n + 2], n = 'nx', dependents, n + 2 end
  if reply ~= '' then row[n + 1], row[n + 2], n = 'z', reply, n + 2 end
  if why then row[n + 1], row[n + 2], n = 'y', why, n + 2 end
  if more then record_more(id, more, row) end
  call('HSET', RUN .. id, unpack(row))
  if status == 'ready' then
    make_ready(id, lane, priority, tenant)
  elseif not LIVE[status] then
    local follows = dependents ~= '' or more and more.rare and more.rare.ch
    if follows then over[#over + 1] = { id, status, result } else ladder().settle(read(id), status, result) end
    return id
  elseif more and more.ask then
    rarely().ask(id, more.ask.digest, more.ask.ms, more.ask.shown, more.ask.key)
  end
  tell_run(conversation, id, status, 0, why)
  return id
end

-- Those that had ended before they began, and on which others depend, end when these are recorded too.
local function settle_recorded()
  local ended = over
  over = {}
  for _, each in ipairs(ended) do ladder().settle(read(each[1]), each[2], each[3]) end
  if G.settle_outdone then G.settle_outdone() end
end

-- A number of JSON is a float here; records hold whole ones.
local function values_of(row)
  for at, value in ipairs(row) do
    if type(value) == 'number' then row[at] = int(value) end
  end
  return row
end

G.record, G.values_of, G.settle_recorded = record, values_of, settle_recorded

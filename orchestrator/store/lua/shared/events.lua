-- events: what people watch. One stream entry for each conversation and script, with all its changes.
local changes, talked, forgotten, audited, loose, closed, alone, listed = {}, {}, {}, {}, {}, {}, {}, {}
local STREAM_CAP, LIST_CAP, OVER_TTL, some_watch = 1000, 20000, 120, nil

-- The audit: one entry for each script, with a line (a JSON object) for each thing that was asked for, decided or ended.
local function audit(line)
  if AUDIT_CAP ~= '0' then audited[#audited + 1] = line end
end

local function tell(conversation, json)
  if not conversation or conversation == '' or forgotten[conversation] then return end
  local list = changes[conversation]
  if not list then
    list = {}
    changes[conversation] = list
    talked[#talked + 1] = conversation
  end
  list[#list + 1] = json
end

-- The newest runs of each tenant, for who lists them: one entry for each script.
local function list_run(tenant, id)
  local list = listed[tenant]
  if list then list[#list + 1] = id else listed[tenant] = { id } end
end

-- A run that belongs to no round may outlive its conversation: it must not bring the stream back, and not for ever.
local function may_tell(conversation)
  if not loose[conversation] then return true end
  local f = call('HMGET', P .. 'c:' .. conversation, 's', 'live')
  if f[1] and not f[2] then closed[#closed + 1] = conversation end
  return f[1]
end

-- A run without conversation has a stream of its own from when somebody watches it (see `watch`).
local function is_watched(id)
  if some_watch == nil then some_watch = call('EXISTS', P .. 'watched') == 1 end
  return some_watch and call('ZSCORE', P .. 'watched', id)
end

-- All texts put in here are words of ours or ids, so they need no escaping.
local function tell_run(conversation, id, status, attempt, why, who)
  if not conversation or conversation == '' then
    if not is_watched(id) then return end
    conversation, alone[id] = id, status
  elseif not changes[conversation] then -- the first of this script: a round's own runs live in a live turn
    loose[conversation] = not id:find('^run_[^.]+%.%d+%.[^.]+$')
  end
  tell(conversation, '{"run":"' .. id .. '","status":"' .. status .. '","attempt":' .. (attempt or 0)
    .. (why and ',"why":"' .. why .. '"' or '') .. (who and ',"worker":"' .. who .. '"' or '') .. '}')
end

local function publish()
  for _, conversation in ipairs(talked) do
    if not forgotten[conversation] and may_tell(conversation) then
      call('XADD', P .. 'ev:' .. conversation, 'MAXLEN', '~', STREAM_CAP, '*', 'at', int(now / 1000), 'e',
        '[' .. table.concat(changes[conversation], ',') .. ']')
    end
  end
  for _, conversation in ipairs(closed) do call('EXPIRE', P .. 'ev:' .. conversation, CONVERSATION_TTL) end
  for id, status in pairs(alone) do
    local lives = LIVE[status]
    call('EXPIRE', P .. 'ev:' .. id, lives and RUN_TTL or OVER_TTL) -- a stream takes 4 kB, however little it says
    if not lives then call('ZREM', P .. 'watched', id) end
  end
  for tenant, ids in pairs(listed) do
    call('XADD', P .. 'runs:' .. tenant, 'MAXLEN', '~', LIST_CAP, '*', 'r', table.concat(ids, ' '))
    call('EXPIRE', P .. 'runs:' .. tenant, RUN_TTL)
  end
  if #audited > 0 then
    call('XADD', P .. 'audit', 'MAXLEN', '~', AUDIT_CAP, '*', 'at', int(now / 1000), 'e', '[' .. table.concat(audited, ',') .. ']')
  end
end

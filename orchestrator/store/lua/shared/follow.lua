-- follow: runs that follow up another one. It ends when they have, and their results stand inside its own.
local MOST_FOLLOWING, MOST_TOLD = 32, 1048576
local TOO_MANY = '{"code":"follow_up_count","error":"not run: a turn may have 32 follow-ups"}'

-- What follows a run up, as its result tells of it, and whether any of that came to no good end.
local function told_of(id)
  local f = call('HMGET', run_key(id), 'e', 'kids')
  local parts, told, lost = {}, #f[1], false
  for child in f[2]:gmatch('%S+') do
    local x = call('HMGET', run_key(child), 's', 'r', 'h', 'undo')
    local head = (x[3] or '{"run":"' .. child .. '"') .. ',"status":"' .. (x[1] or 'expired') .. '"'
    if x[4] then head = head .. ',"undone":' .. (x[4] == 'undone' and 'true' or 'false') end
    lost = lost or x[1] ~= 'succeeded'
    told = told + #(x[2] or '')
    parts[#parts + 1] = head .. (told > MOST_TOLD and ',"result_omitted":true}' or ',"result":' .. (x[2] or 'null') .. '}')
  end
  return '"follow_ups":[' .. table.concat(parts, ',') .. ']', f[1], lost
end

-- Their records end with that of the call that they belong to.
local end_children
end_children = function(id)
  for child in (call('HGET', run_key(id), 'kids') or ''):gmatch('%S+') do
    call('EXPIRE', run_key(child), RUN_TTL)
    end_children(child)
  end
end

local function join_results(run)
  local follow_ups, result, lost = told_of(run.id)
  run.lost = lost
  if not run.chain and not run.parent then end_children(run.id) end
  settle(run, 'succeeded', '{"result":' .. result .. ',' .. follow_ups .. '}')
end

-- The handler has succeeded: it holds nothing any more, and waits for what follows it up.
local function follow_up(run, result, at, count)
  local children, open = {}, 0
  local counter = run.turn and P .. 't:' .. run.turn or run_key((run.id:gsub('%.f[%d.f]*$', '')))
  G.leave(run)
  call('HSET', run_key(run.id), 's', 'blocked', 'y', 'follow_ups', 'e', result, 'ex', 2, 'since', NOW)
  for d = at, at + (count - 1) * 3, 3 do
    if ARGV[d] == 'follow' then
      local row = G.values_of(cjson.decode(ARGV[d + 2]))
      if call('HINCRBY', counter, 'fu', 1) > MOST_FOLLOWING then
        row[2], row[9], row[13] = 'refused', TOO_MANY, ''
        row[14] = row[14]:gsub('"decided":"%a+"', '"decided":"follow_up_count"')
      end
      children[#children + 1] = G.record(run.conversation, run.turn, unpack(row))
    end
  end
  for _, id in ipairs(children) do
    if LIVE[call('HGET', run_key(id), 's')] then
      open = open + 1
      call('HSET', run_key(id), 'par', run.id, 'ex', 2)
    end
  end
  call('HSET', run_key(run.id), 'fl', open, 'kids', table.concat(children, ' '))
  tell_run(run.conversation, run.id, 'blocked', run.attempt, 'follow_ups')
  if open == 0 then join_results(read(run.id)) else G.settle_recorded() end
end

local function child_ended(child)
  local run = read(child.parent)
  if run.status == 'blocked' and run.children and call('HINCRBY', run_key(run.id), 'fl', -1) == 0 then join_results(run) end
end

G.follow_up, G.child_ended, G.told_of, G.end_children = follow_up, child_ended, told_of, end_children

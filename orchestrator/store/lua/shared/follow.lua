-- follow: runs that follow up another one. It ends when they have, and their results stand inside its own.
local MOST_FOLLOWING, MOST_TOLD = 32, 1048576
local TOO_MANY = '{"code":"follow_up_count","error":"not run: a turn may have 32 follow-ups"}'

local function join_results(run)
  local parts, told = {}, #run.said
  for id in call('HGET', run_key(run.id), 'kids'):gmatch('%S+') do
    local f = call('HMGET', run_key(id), 's', 'r', 'h')
    local head = (f[3] or '{"run":"' .. id .. '"') .. ',"status":"' .. (f[1] or 'expired') .. '"'
    if f[1] ~= 'succeeded' then run.lost = true end
    told = told + #(f[2] or '')
    parts[#parts + 1] = head .. (told > MOST_TOLD and ',"result_omitted":true}' or ',"result":' .. (f[2] or 'null') .. '}')
  end
  settle(run, 'succeeded', '{"result":' .. run.said .. ',"follow_ups":[' .. table.concat(parts, ',') .. ']}')
end

-- The handler has succeeded: it holds nothing any more, and waits for what follows it up.
local function follow_up(run, result, at, count)
  local children, open = {}, 0
  local counter = run.turn and P .. 't:' .. run.turn or run_key(run.id:match('^[^.]+'))
  G.leave(run)
  call('HSET', run_key(run.id), 's', 'blocked', 'y', 'follow_ups', 'e', result, 'ex', 2, 'since', NOW)
  for d = at, at + (count - 1) * 3, 3 do
    if ARGV[d] == 'follow' then
      local id, row = ARGV[d + 1], G.values_of(cjson.decode(ARGV[d + 2]))
      if call('HINCRBY', counter, 'fu', 1) > MOST_FOLLOWING then row[2], row[9], row[13] = 'refused', TOO_MANY, '' end
      children[#children + 1] = G.record(run.conversation, run.turn, unpack(row))
      if LIVE[call('HGET', run_key(id), 's')] then
        open = open + 1
        call('HSET', run_key(id), 'par', run.id, 'ex', 2)
      end
    end
  end
  call('HSET', run_key(run.id), 'fl', open, 'kids', table.concat(children, ' '))
  tell_run(run.conversation, run.id, 'blocked', run.attempt, 'follow_ups')
  if open == 0 then join_results(read(run.id)) end
end

local function child_ended(child)
  local run = read(child.parent)
  if run.status == 'blocked' and run.children and call('HINCRBY', run_key(run.id), 'fl', -1) == 0 then join_results(run) end
end

G.follow_up, G.child_ended = follow_up, child_ended

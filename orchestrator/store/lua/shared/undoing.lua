-- undoing: takes back what the steps of a failed chain did, the last one first, each by a run of its own. One that fails
-- rests until somebody asks for another try.

-- Undo takes the locks of its action again, and the run's own one (see `drafting`), but no limits, caps and clocks.
local function locks_of(text)
  local lines = {}
  for places, lock in (text or ''):gmatch('L %S+ (%S+) (%S+)') do
    if lock:sub(1, 1) ~= '~' or lock:sub(1, 5) == '~run:' then lines[#lines + 1] = 'L wait ' .. places .. ' ' .. lock end
  end
  return table.concat(lines, '\n')
end

-- Its handler goes on in a thread that nobody can stop: what takes it back waits for that, but not for ever.
local HAUNTED = 600 * 1000000
local function wait_for_ghost(own, id)
  local first = call('LINDEX', P .. 'lk:~run:' .. id, 0)
  if not first or not first:find('~', 1, true) then return end
  call('HSET', run_key(own), 'qd', int(now + HAUNTED))
  call('ZADD', P .. 'due', int(now + HAUNTED), 'D' .. own)
end

local function make_undo(id)
  local n = call('HINCRBY', run_key(id), 'un', 1)
  local f = call('HMGET', run_key(id), 'q', 'p', 'u', 't', 'c', 'a', 'g', 'ha')
  local own = id .. '.undo' .. (n > 1 and int(n) or '')
  local locks = locks_of(f[7])
  if f[8] then call('HSET', run_key(own), 'ha', f[8]) end
  call('HSET', run_key(own), 's', 'ready', 'q', f[1], 'p', f[2], 'u', f[3] or '', 't', f[4], 'c', f[5], 'a', f[6], 'i', 'undo',
    'of', id, 'ex', 2, 'since', NOW, 'at', NOW, unpack(locks ~= '' and { 'g', locks } or {}))
  wait_for_ghost(own, id)
  make_ready(own, f[1], f[2], f[3] or '')
  tell_run(f[5], own, 'ready')
end

-- The first of the list is the one that is being undone.
local function undo_next(chain)
  local list = call('HGET', key_of(chain), 'un') or ''
  for at, id in list:gmatch('()(%S+)') do
    if call('EXISTS', run_key(id)) == 1 then
      call('HSET', key_of(chain), 'un', list:sub(at))
      return make_undo(id)
    end
  end
  call('HDEL', key_of(chain), 'un')
  settle_chain(chain)
end

-- Its follow-ups before it, the last one first.
local function add_undos(id, list)
  local run = read(id)
  local children = {}
  for child in (call('HGET', run_key(id), 'kids') or ''):gmatch('%S+') do table.insert(children, 1, child) end
  for _, child in ipairs(children) do add_undos(child, list) end
  if run.undoes and not run.joined and (run.status == 'succeeded' or run.undoes == '2' and run.uncertain) then
    call('HSET', run_key(id), 'undo', 'pending')
    list[#list + 1] = id
  end
end

local function has_ended(run, status, result)
  local chain = chain_of(run)
  if run.of then return G.undo_ended(run, status, result) end
  if run.parent then G.child_ended(run) end
  if run.chain ~= 'step' or call('HINCRBY', key_of(chain), 'cl', -1) > 0 then return end
  if call('HEXISTS', key_of(chain), 'cf') == 0 then return settle_chain(chain) end
  local list, ids = {}, steps_of(chain)
  for at = #ids, 1, -1 do add_undos(ids[at], list) end
  call('HSET', key_of(chain), 'un', table.concat(list, ' '))
  undo_next(chain)
end

-- It is no success that others may depend on any more.
local function take_back(c, field, id)
  local left = {}
  for each in (call('HGET', c, field) or ''):gmatch('%S+') do
    if each ~= id then left[#left + 1] = each end
  end
  if #left == 0 then call('HDEL', c, field) else call('HSET', c, field, table.concat(left, ' ')) end
end

local function undo_ended(run, status, result)
  local chain, of = chain_of(run), run.of
  local key = key_of(chain)
  if status ~= 'succeeded' then
    call('HSET', run_key(of), 'undo', 'failed', 'ue', result)
    call('ZADD', P .. 'stuck', NOW, of)
    call('EXPIRE', P .. 'stuck', RUN_TTL)
    return settle_chain(chain)
  end
  call('HSET', run_key(of), 'undo', 'undone')
  call('HDEL', run_key(of), 'ue')
  local f = call('HMGET', run_key(of), 'dd', 'did', 'c')
  if f[1] and call('GET', P .. 'dd:' .. f[1]) == of then call('DEL', P .. 'dd:' .. f[1]) end
  if f[2] then take_back(P .. 'c:' .. f[3], 'd:' .. f[2], of) end
  call('HSET', key, 'un', ((call('HGET', key, 'un') or ''):gsub('^%S+%s*', '')))
  undo_next(chain)
end

-- Another try of one that failed; those before it follow.
local function undo_again(id)
  local run = read(id)
  if not run.status or call('EXISTS', key_of(chain_of(run) or '')) == 0 then
    call('ZREM', P .. 'stuck', id)
    return 'missing'
  end
  if call('HGET', run_key(id), 'undo') ~= 'failed' then return 'not_stuck' end
  for _, step in ipairs(steps_of(chain_of(run))) do
    call('EXPIRE', run_key(step), RUN_TTL)
    G.end_children(step)
  end
  call('EXPIRE', key_of(chain_of(run)), RUN_TTL)
  call('HSET', run_key(id), 'undo', 'pending')
  call('ZREM', P .. 'stuck', id)
  make_undo(id)
  return 'retried'
end

G.wait_for_ghost = wait_for_ghost
G.has_ended, G.undo_ended, G.undo_again, G.locks_of = has_ended, undo_ended, undo_again, locks_of

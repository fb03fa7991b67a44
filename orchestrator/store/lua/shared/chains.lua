-- chains: the calls of a round as a saga. One runs after another; when one has failed for good, or the chain is stopped,
-- no further one starts, and those that took effect are undone (see `undoing`). Only when all of that is over the round
-- has its results. What is known of a chain stands in `ch:<turn>.<round>`.
local function chain_of(run) return run.id:match('^run_([^.]+%.%d+)%.') end
local function key_of(chain) return P .. 'ch:' .. chain end

local function steps_of(chain)
  local ids = {}
  for at = 0, tonumber(call('HGET', key_of(chain), 'n') or '0') - 1 do ids[#ids + 1] = 'run_' .. chain .. '.' .. int(at) end
  return ids
end

-- What few rounds have, before their runs are recorded.
local function begin_round(t, turn, round, count, conversation, rest)
  if rest.ans then call('HSET', t, 'ans', 1) end
  if rest.ev then call('HSET', t, 'ev', cjson.encode(rest.ev)) end
  if rest['end'] then call('HSET', t, 'stop', 'failed', 'e', rest['end']) end
  if rest.mode == 'chain' and count > 0 then
    call('HSET', key_of(turn:sub(6) .. '.' .. round), 'n', count, 'cl', count, 't', turn)
    if rest.lead then G.record(conversation, turn, unpack(G.values_of(rest.lead))) end
  end
end

local function why_of(chain)
  local why = call('HGET', key_of(chain), 'cf')
  local at = why and why:match('^f?(%d+)$')
  if not at then return why and 'the chain was ' .. why end
  return (why:sub(1, 1) == 'f' and 'a follow-up of step ' or 'step ') .. int(at + 1) .. ' failed'
end

-- No further step starts. why: the place of the step that failed (f before it: what follows it up did), or a word. The
-- last one first: else each would tell the one after it that it did not succeed.
local function halt(chain, why, status)
  if call('HSETNX', key_of(chain), 'cf', why) == 0 then return end
  local told = '{"code":"not_run","error":"not run because ' .. why_of(chain) .. '"}'
  local ids = steps_of(chain)
  for at = #ids, 1, -1 do
    local run = read(ids[at])
    if run.status == 'blocked' and not run.children then settle(run, status, told) end
  end
end

local function truth(id, f, why)
  local status, result, undo, joined = f[1], f[2], f[3], f[4]
  local before = '{"code":"%s","error":"%s"}'
  if status ~= 'succeeded' then
    if not undo or result:sub(-1) ~= '}' then return result end
    return result:sub(1, -2) .. (undo == 'undone' and ',"undone":true}' or ',"undone":false}')
  end
  local follow_ups, own
  if f[6] then
    follow_ups, own = G.told_of(id)
    result, before = '{"result":' .. own .. ',' .. follow_ups .. '}', before:sub(1, -2) .. ',' .. follow_ups:gsub('%%', '%%%%') .. '}'
  end
  if undo == 'undone' then return before:format('undone', 'undone because ' .. why) end
  if undo == 'failed' then return before:format('undo_failed', 'it took effect, and undoing it failed, because ' .. why) end
  if undo then return before:format('not_undone', 'it is still in effect: another undo failed before its own, because ' .. why) end
  return '{"status":"succeeded","note":"still in effect, though ' .. why .. ': '
    .. (joined and 'it belongs to an earlier call' or 'it cannot be undone') .. '","result":' .. result .. '}'
end

-- Nothing of it runs any more: its steps say what is true now, and its locks are free. A second time when an undo that
-- had failed was tried again.
local function settle_chain(chain)
  local key, why, told, words = key_of(chain), why_of(chain), {}, {}
  local f = call('HMGET', key, 't', 'settled')
  for at, id in ipairs(steps_of(chain)) do
    local x = call('HMGET', run_key(id), 's', 'r', 'undo', 'jd', 'h', 'kids')
    local text = why and truth(id, x, why) or x[2]
    if text ~= x[2] then call('HSET', run_key(id), f[2] and 'tn' or 'tm', text) end
    G.end_children(id)
    told[id] = { x[5], text }
    if x[3] then words[#words + 1] = 'step ' .. int(at) .. ' ' .. (x[3] == 'pending' and 'not undone' or x[3] == 'failed' and 'undo failed' or x[3]) end
    if f[2] then call('EXPIRE', run_key(id), RUN_TTL) end
  end
  call('HSET', key, 'settled', 1)
  call('EXPIRE', key, RUN_TTL)
  if f[2] then
    local conversation = call('HGET', P .. 't:' .. f[1], 'c')
    return conversation and G.note(conversation, 'The undo of a chain was tried again: ' .. table.concat(words, ', ') .. '.')
  end
  local lead = read('run_' .. chain .. '.chain')
  if LIVE[lead.status or ''] then settle(lead, lead.status == 'running' and 'succeeded' or 'cancelled', '{}') end
  G.count_in(f[1], told)
end

-- The lead has the locks of the chain: its first step may start.
local function hold(id)
  call('HSET', run_key(id), 's', 'running', 'since', NOW, 'f', call('GET', P .. 'fence'))
  G.count_down('run_' .. id:match('^run_([^.]+%.%d+)%.') .. '.0')
end

-- Ends what has not begun, asks to stop what runs, and lets the rest be undone.
local function stop_chain(chain, why)
  local f = call('HMGET', key_of(chain), 'un', 'settled')
  if f[1] or f[2] then return f[2] and 'terminal' or 'undoing' end
  halt(chain, why, 'cancelled')
  local verdict = 'cancelled'
  for _, id in ipairs(steps_of(chain)) do
    local run = read(id)
    if LIVE[run.status] then
      run.freed = true
      if G.stop(run, why) ~= 'cancelled' then verdict = 'cancelling' end
    end
  end
  return verdict
end

-- What runs goes on to its end, and nothing is undone for that; no further step starts.
local function interrupt(turn)
  local f = call('HMGET', P .. 't:' .. turn, 's', 'round')
  if not f[1] then return 'missing' end
  local chain = turn:sub(6) .. '.' .. (f[2] or '0')
  local x = call('HMGET', key_of(chain), 'n', 'cf', 'settled')
  if not x[1] then return 'no_chain' end
  if f[1] ~= 'live' or x[2] or x[3] then return 'terminal' end
  local ids = steps_of(chain)
  for at = #ids, 1, -1 do -- else a step would be told that the one before it did not succeed
    local id = ids[at]
    local run = read(id)
    if LIVE[run.status] and not is_running(run) and tonumber(run.attempt or '0') == 0 and not run.children then
      call('ZREM', P .. 'due', id)
      run.interrupted = true
      settle(run, 'cancelled', '{"code":"interrupted","error":"not run: the chain was interrupted before this step"}')
    end
  end
  return 'interrupted'
end

G.begin_round, G.hold, G.stop_chain, G.interrupt = begin_round, hold, stop_chain, interrupt

-- rescue: what happens to runs that few are like when they end, or are to be stopped.

-- It has failed for the last time, and its action's `on_error` is called before it ends so; once it has been, it ends.
local function rescue(run, status, result)
  local id = run.id
  if run.rescue then -- its on_error killed its worker, too
    local told, why = run.said or result, status == 'expired' and 'its handler still goes on' or 'its worker died'
    return settle(run, run.rescue, told:sub(1, -2) .. ',"compensated":false,"compensation_error":"' .. why .. '"}')
  end
  if not run.more then read_more(run) end
  if run.approval == 'wanted' then drop_ask(id) end
  G.leave(run, not is_running(run))
  call('ZREM', P .. 'due', id, 'D' .. id)
  local locks = G.locks_of(run.guards)
  call('HSET', run_key(id), 's', 'ready', 'ph', status, 'e', result, 'y', 'on_error', 'since', NOW, 'ex', 2, 'g', locks)
  call('HDEL', run_key(id), 'f', 'm', 'dl', 'qd', 'sus', 'k', 'until', 'chk')
  G.wait_for_ghost(id, id)
  make_ready(id, run.lane, run.priority, run.tenant, nil, true)
  tell_run(run.conversation, id, 'ready', run.attempt, 'on_error')
  run.phase = 'undoing'
end

-- What follows from its end before anything else does.
local function ending(run, status, result)
  if run.approval == 'wanted' then drop_ask(run.id) end
  if run.did and status == 'succeeded' and (run.turn or call('EXISTS', P .. 'c:' .. run.conversation) == 1) then
    local c, field = P .. 'c:' .. run.conversation, 'd:' .. run.did
    local known = call('HGET', c, field) -- the newest few: an undo takes back its own only
    if known and #known > 400 then known = known:sub(1, 400):match('^(.*) ') end
    call('HSET', c, field, run.id .. (known and ' ' .. known or ''))
  end
  if run.chain == 'step' and not run.interrupted and (status ~= 'succeeded' or run.lost) then
    halt(chain_of(run), (run.lost and 'f' or '') .. run.position, 'refused')
  elseif run.chain == 'lead' and status ~= 'succeeded' and status ~= 'cancelled' then
    halt(chain_of(run), 'locked out', 'refused')
  end
  if run.note then G.note(run.conversation, run.note .. ' ' .. status .. ': ' .. result) end
end

-- What stopping it means, if that is anything special; nil: it does not.
local function stop_rare(run, why)
  if run.of or run.rescue then return LIVE[run.status] and 'undoing' or run.status end
  if run.chain and not run.freed then return G.stop_chain(chain_of(run), why) end
  if run.children and run.status == 'blocked' then
    for child in call('HGET', run_key(run.id), 'kids'):gmatch('%S+') do
      local each = read(child)
      if LIVE[each.status or ''] then G.stop(each, why) end
    end
    return LIVE[call('HGET', run_key(run.id), 's')] and 'cancelling' or 'terminal'
  end
end

G.rescue, G.ending, G.stop_rare = rescue, ending, stop_rare

-- base: what every script starts with.
-- KEYS[1] is the prefix of all keys. ARGV[1..3] are the frame: clock in µs ('' = the server's; others in tests
-- only), seconds that an ended run is kept, seconds that a quiet conversation is kept and (after a space; 0: none are
-- written) how many entries the audit keeps.
local P, call = KEYS[1], redis.call
local now, RUN_TTL = tonumber(ARGV[1]), ARGV[2]
local CONVERSATION_TTL, AUDIT_CAP = ARGV[3]:match('^(%d+) (%d+)')
if not now then
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end
-- The fence never lies behind the clock, so it serves as the floor below which time does not fall. A clock that has been
-- set back by more is believed: standing still until it has caught up would stop every lease and every wait.
local floor = tonumber(call('GET', P .. 'fence') or '0')
if floor > now and floor - now < 5000000 then now = floor end

local function int(n) return string.format('%.0f', n) end -- Lua's .. would print 1.79e+15
local NOW, RUN = int(now), P .. 'r:'

-- Lua's unpack ends near 8,000 values, and an error in the middle would leave a step half done.
local function call_each(command, key, list)
  local reply
  for at = 1, #list, 5000 do reply = call(command, key, unpack(list, at, math.min(at + 4999, #list))) end
  return reply
end

local function run_key(id) return RUN .. id end
local function base_queue(lane) return (lane:match('^[^/]+')) end

-- What few runs have: guards, deadlines and the like.
local function read_more(run)
  local x = call('HMGET', RUN .. run.id, 'g', 'w', 'dl', 'qd', 'ou', 'pk', 'dd', 'ddms', 'ddmode', 'chk', 'b', 'br')
  run.more, run.guards, run.rung, run.deadline, run.begin_by = true, x[1] or nil, tonumber(x[2] or 0), x[3] or nil, x[4] or nil
  run.on_unknown, run.parked, run.same, run.window, run.mode = x[5] or nil, x[6] or nil, x[7] or nil, x[8] or nil, x[9] or nil
  run.check, run.claimed, run.barrier = x[10] or nil, x[11] and true, x[12] or nil
  return run
end

-- What fewer still have: see `keys`.
local function read_rare(run)
  local x = call('HMGET', RUN .. run.id, 'ch', 'uf', 'uk', 'oe', 'ph', 'did', 'nt', 'of', 'ap', 'fl', 'par', 'jd', 'apd', 'ha', 'e')
  run.rare, run.chain, run.undoes, run.uncertain, run.rescues = true, x[1] or nil, x[2] or nil, x[3] or nil, x[4] or nil
  run.rescue, run.did, run.note, run.of, run.approval = x[5] or nil, x[6] or nil, x[7] or nil, x[8] or nil, x[9] or nil
  run.children, run.parent, run.joined, run.approved = x[10] or nil, x[11] or nil, x[12] or nil, x[13] or nil
  run.hooked, run.said = x[14] or nil, x[15] or nil
  return run
end

local function read(id)
  local f = call('HMGET', RUN .. id, 's', 'f', 'q', 'p', 'u', 't', 'c', 'i', 'nx', 'z', 'n', 'sus', 'm', 'h', 'ex')
  local run = { id = id, status = f[1] or nil, fence = f[2] or nil, lane = f[3] or nil, priority = f[4] or '1',
    tenant = f[5] or '', turn = f[6] or nil, conversation = f[7] or nil, position = f[8] or nil,
    dependents = f[9] or nil, reply = f[10] or nil, attempt = f[11] or nil, level = f[12] or nil, pump = f[13] or nil,
    head = f[14] or nil }
  if f[15] then
    read_more(run)
    if f[15] == '2' then read_rare(run) end
  end
  return run
end

-- What few calls need is defined when it is first asked for: the parts in [brackets] of a script's NEEDS (see scripts.py)
-- put it into G, and ladder() hands that out. `write_charges` is theirs, for the end of the script.
local G, ladder, rarely, write_charges = {}, nil, nil, nil
local PATIENCE -- µs that a run waits at a limit in its place; set by claim

local LIVE = { blocked = true, ready = true, waiting = true, running = true, cancelling = true }
-- Its total time is over, or the time by which it had to be claimed for the first time.
local function is_late(run)
  local waits = run.begin_by and (not run.claimed or run.rescue)
  return run.deadline and tonumber(run.deadline) <= now or waits and tonumber(run.begin_by) <= now
end

local function is_running(run) return run.status == 'running' or run.status == 'cancelling' end

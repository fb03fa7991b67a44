-- guards: what a run has to pass before it starts, in the order in which it climbs. Each guard has a FIFO: of a lock
-- the first `places` hold it, of a limit the first has the turn until it starts.
local function number(word) return math.min(tonumber(word) or 0, 1e15) end -- Redis takes none that are much longer

local function guards_of(text)
  local guards = {}
  for line in (text or ''):gmatch('[^\n]+') do
    local w = {}
    for word in line:gmatch('%S+') do w[#w + 1] = word end
    if w[1] == 'L' then
      guards[#guards + 1] = { lock = true, policy = w[2], places = number(w[3]), key = w[4], list = P .. 'lk:' .. w[4] }
    else
      guards[#guards + 1] = { policy = w[2], n = number(w[3]), per = number(w[4]), burst = number(w[5]),
        cost = number(w[6]), name = w[7], key = w[8], list = P .. 'lw:' .. w[8] }
    end
  end
  return guards
end

G.guards_of = guards_of

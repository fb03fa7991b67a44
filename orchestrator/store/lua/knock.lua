-- knock: lets somebody through a rate limit that is no run's, or says how long to wait: GCRA, so many at once.
-- NEEDS: base
-- KEYS: [1] prefix
-- ARGV: frame(3), key, n, window in µs, how many at once
-- RETURNS: 0, or ms until the next may come
local key, n, per, burst = P .. 'tat:' .. ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local step = math.ceil(per / n)
local tat = math.max(now, tonumber(call('GET', key) or '0'))
if tat - (burst - 1) * step > now then return math.ceil((tat - (burst - 1) * step - now) / 1000) end
call('SET', key, int(tat + step), 'PX', math.ceil((tat + step - now) / 1000) + 10000)
return 0

-- mark: notes something in the record of a run that came to a bad end, or takes it off the list of those.
-- NEEDS: base events
-- KEYS: [1] prefix
-- ARGV: frame(3), run, field ('' = none), value, 'off' (it leaves the list) or '', line for the audit (JSON) or ''
-- RETURNS: 1, or 0 if it was not there
local id, field, value, off, line = unpack(ARGV, 4, 8)
local there = field == '' or call('EXISTS', run_key(id)) == 1
if there and field ~= '' then call('HSET', run_key(id), field, value) end
if there and off ~= '' then there = call('ZREM', P .. 'dead', id) == 1 or field ~= '' end
if not there then return 0 end
if line ~= '' then audit(line) end
publish()
return 1

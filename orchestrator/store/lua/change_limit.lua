-- change_limit: what operators say of a limit: other numbers for it or one of its keys, or a pause. Whoever waits at one
-- of the keys looks again.
-- NEEDS: base events ready settle [ends guards limits fifos parking]
-- KEYS: [1] prefix
-- ARGV: frame(3), what ('set', 'unset', 'cool' or 'look'), field of `limits` (a name or a key; for cool and look a key),
--       'n per_us burst cost' or ms or '', most fields, line for the audit (JSON) or '', then keys at which runs may wait
-- RETURNS: 'ok', or 'full' (there are as many changed limits as may be)
local what, field, value, most, line = unpack(ARGV, 4, 8)
if what == 'set' then
  if call('HEXISTS', P .. 'limits', field) == 0 and call('HLEN', P .. 'limits') >= tonumber(most) then return 'full' end
  call('HSET', P .. 'limits', field, value)
elseif what == 'unset' then
  call('HDEL', P .. 'limits', field)
elseif what == 'cool' then
  ladder().cool(field, value)
end
if line ~= '' then audit(line) end
for at = 9, #ARGV do
  ladder().turn_limit(ARGV[at])
  ladder().unpark(ARGV[at])
end
close_rounds()
return 'ok'

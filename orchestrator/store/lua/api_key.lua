-- api_key: keeps an API key, or forgets it, with its line in the audit.
-- NEEDS: base events
-- KEYS: [1] prefix
-- ARGV: frame(3), what ('put' or 'remove'), the key's id, its record (JSON) or '', most keys, a line for the audit
-- RETURNS: 'ok', 'exists' (put: there is one with this id), 'full' (put), 'missing' (remove)
local what, id, record, most, line = unpack(ARGV, 4, 8)
local KEYRING = P .. 'keys'
if what == 'put' then
  if call('HEXISTS', KEYRING, id) == 1 then return 'exists' end
  if call('HLEN', KEYRING) >= tonumber(most) then return 'full' end
  call('HSET', KEYRING, id, record)
elseif call('HDEL', KEYRING, id) == 0 then
  return 'missing'
end
audit(line)
publish()
return 'ok'

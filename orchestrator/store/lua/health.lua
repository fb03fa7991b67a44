-- health: writes something and nothing else: a server that cannot be written says so here.
-- NEEDS: base
-- KEYS: [1] prefix
-- ARGV: frame(3)
-- RETURNS: 'ok'
call('SET', P .. 'health', NOW, 'PX', 10000)
return 'ok'

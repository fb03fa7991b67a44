-- note: writes a line into the audit.
-- NEEDS: base events
-- KEYS: [1] prefix
-- ARGV: frame(3), line (a JSON object)
-- RETURNS: 'ok'
audit(ARGV[4])
publish()
return 'ok'

-- submit: records runs that belong to no conversation and makes them ready. A run that is there already is left
-- as it is, so that submitting again after a lost reply is harmless.
-- NEEDS: base events ready settle record
-- KEYS: [1] prefix
-- ARGV: frame(3), then 12 values for each run: id, status, lane, priority, tenant, payload, position, head, result,
--       open dependencies, dependents, reply list
-- RETURNS: the number of runs that are new
local new = 0
for at = 4, #ARGV, RUN_FIELDS do
  if call('EXISTS', run_key(ARGV[at])) == 0 then
    record(at, nil, nil)
    new = new + 1
  end
end
close_rounds()
return new

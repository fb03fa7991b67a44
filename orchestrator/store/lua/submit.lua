-- submit: records runs that belong to no conversation and makes them ready. A run that is there already is left
-- as it is, so that submitting again after a lost reply is harmless.
-- NEEDS: base events ready [settle ends guards limits fifos] {asks chains undoing follow rescue people stopping} record
-- KEYS: [1] prefix
-- ARGV: frame(3), 'together' (they were asked for under one key: if one of them is there, all were recorded, and what is
--       missing has ended and gone) or '', then 14 values for each run: id, status, lane, priority, tenant, payload,
--       position, head, result, open dependencies, dependents, reply list, what few runs have as JSON (see
--       NewRun.extras), a line of the audit
-- RETURNS: { the number of runs that are new, ids that are there with another digest... }; with one of these
--          nothing was recorded
local conflicts, known_before = { 0 }, false
for at = 5, #ARGV, RUN_FIELDS do
  local digest = ARGV[at + 12] ~= '' and ARGV[at + 12]:match('"dg":"(%w+)"')
  if digest then
    local known = call('HMGET', run_key(ARGV[at]), 's', 'dg')
    known_before = known_before or known[1]
    if known[1] and known[2] ~= digest then conflicts[#conflicts + 1] = ARGV[at] end
  end
end
if #conflicts > 1 then return conflicts end
local new = 0
for at = 5, #ARGV, RUN_FIELDS do
  local there = ARGV[4] ~= '' and known_before or call('EXISTS', run_key(ARGV[at])) == 1
  if not there then
    record(nil, nil, unpack(ARGV, at, at + RUN_FIELDS - 1))
    new = new + 1
  elseif ARGV[at + 13] ~= '' then
    audit('{"run":"' .. ARGV[at] .. '","what":"asked again"}')
  end
end
settle_recorded()
conclude()
return { new }

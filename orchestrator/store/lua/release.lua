-- release: a pump steps back. 'keep': it gives back the runs that it does not know (a claim's reply was lost).
-- 'pause': it claims nothing more, but ends what it has. 'end': it gives back all that it has, and is gone.
-- NEEDS: base events ready settle [ends guards limits fifos] {record asks chains undoing follow rescue people stopping} release
-- KEYS: [1] prefix
-- ARGV: frame(3), pump, mode, then the runs to keep, each with the fence under which the pump knows it ('keep'), or
--       the queues that it served ('pause', 'end'), and for 'end' then '--' and the runs whose handlers have not begun
-- RETURNS: the number of runs that are still to be given back: call again until 0
local pump, mode, kept, given, left = ARGV[4], ARGV[5], {}, 0, 0
local queues, unbegun = {}, nil
for at = 6, #ARGV, mode == 'keep' and 2 or 1 do
  if mode == 'keep' then kept[ARGV[at]] = ARGV[at + 1]
  elseif ARGV[at] == '--' then unbegun = {}
  elseif unbegun then unbegun[ARGV[at]] = true
  else queues[#queues + 1] = ARGV[at] end
end
for _, id in ipairs(mode == 'pause' and {} or call('SMEMBERS', P .. 'held:' .. pump)) do
  local ghost = id:find('~', 1, true)
  local stays = kept[id] and (ghost or call('HGET', run_key(id), 'f') == kept[id]) -- else it was claimed again, unheard
  if not stays and not (ghost and mode == 'end') then -- the ghosts of a pump that ends go when its lease is over
    if given < 200 then take(pump, id, false, mode == 'end' and not (unbegun and unbegun[id])) else left = left + 1 end
    given = given + 1
  end
end
if mode ~= 'keep' then
  withdraw(pump, queues)
  touch_what_has_work(queues)
end
if mode == 'end' and call('EXISTS', P .. 'held:' .. pump) == 0 then call('ZREM', P .. 'live', pump) end
close_rounds()
return left

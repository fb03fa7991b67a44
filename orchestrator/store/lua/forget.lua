-- forget: removes what is left of a conversation that is to be forgotten; see cancel_turn for how that begins.
-- NEEDS: base events ready settle [ends guards limits fifos remove] {record asks chains undoing follow rescue people stopping}
-- KEYS: [1] prefix
-- ARGV: frame(3), conversation
-- RETURNS: 'more' (a turn still lives, or there is more: call again) or 'removed'
ladder().remove(ARGV[4])
close_rounds() -- what was stopped may have held a lock that another run waits for
return call('EXISTS', P .. 'c:' .. ARGV[4]) == 1 and 'more' or 'removed'

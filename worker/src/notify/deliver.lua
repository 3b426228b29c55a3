-- How far a sink is, and what it never took: both, or nothing.
-- KEYS: lease, delivered, dead letters
-- ARGV: token, sink, id of the notification's entry, then for a dead letter: entries to keep, its fields and values
-- Replies: 1, or 0 if the lease is another worker's.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if #ARGV > 3 then
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 5))
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 1

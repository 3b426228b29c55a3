-- What people are told, and what the notifier knows after it: both, or nothing.
-- KEYS: lease, state, notifications
-- ARGV: token, state, entries to keep, then for each notification: its group, event, JSON
-- Replies: 1, or 0 if the lease is another worker's.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for i = 4, #ARGV, 3 do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', 'group', ARGV[i], 'event', ARGV[i + 1],
    'notification', ARGV[i + 2])
end
redis.call('SET', KEYS[2], ARGV[2])
return 1

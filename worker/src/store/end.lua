-- The end of an incident that no fingerprint will bring: said once, and only if nothing else was said meanwhile.
-- KEYS: lease, incidents
-- ARGV: token, id of the last message as the worker knows it, retention, channel of all alerts, channel of this monitor's,
--       the entry's id, event, incident, JSON
-- Replies: OK, FENCED (the lease is another's), MOVED (something else was said), GONE (the incidents were deleted)

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.status_reply('FENCED')
end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if not newest[1] then
  return redis.status_reply('GONE')
end
if newest[1][1] ~= ARGV[2] then
  return redis.status_reply('MOVED')
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], ARGV[6], 'event', ARGV[7], 'incident', ARGV[8], 'alert', ARGV[9])
redis.pcall('PUBLISH', ARGV[4], ARGV[9])
redis.pcall('PUBLISH', ARGV[5], ARGV[9])
return redis.status_reply('OK')

-- The message that vectors stopped coming: once, and only if none came meanwhile.
-- KEYS: lease, scores, fingerprints, incidents
-- ARGV: token, id of the last score and fingerprint as the worker knows it, when the next was due (ms), retention,
--       channel of all alerts, channel of this monitor's, the entry's id, event, incident, JSON
-- Replies: OK, FENCED (the lease is another's), EARLY (by this server's clock), MOVED (something came), TOLD (it stands).

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.status_reply('FENCED')
end
local now = redis.call('TIME')
if tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) < tonumber(ARGV[3]) then
  return redis.status_reply('EARLY')
end
for i = 2, 3 do
  local stream = redis.pcall('XINFO', 'STREAM', KEYS[i])
  if stream.err then
    if string.find(stream.err, 'no such key', 1, true) then
      return redis.status_reply('MOVED')
    end
    return stream
  end
  for j = 1, #stream, 2 do
    if stream[j] == 'last-generated-id' and stream[j + 1] ~= ARGV[2] then
      return redis.status_reply('MOVED')
    end
  end
end
local said = redis.pcall('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], ARGV[7], 'event', ARGV[8], 'incident', ARGV[9],
  'alert', ARGV[10])
if said.err then
  if string.find(said.err, 'equal or smaller', 1, true) then
    return redis.status_reply('TOLD')
  end
  return said
end
redis.pcall('PUBLISH', ARGV[5], ARGV[10])
redis.pcall('PUBLISH', ARGV[6], ARGV[10])
return redis.status_reply('OK')

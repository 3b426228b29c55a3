-- Feedback: what stands in the settings, and the line that says who changed it; both, or neither.
-- KEYS: the monitor's settings; the audit stream, unless it is in another slot
-- ARGV: what the field held ('' = nothing), what it is to hold ('' = nothing), the field, most entries of the audit,
--       its field-value pairs
-- Replies: OK, CHANGED (somebody else was faster: nothing was written)

if (redis.call('HGET', KEYS[1], ARGV[3]) or '') ~= ARGV[1] then
  return redis.status_reply('CHANGED')
end
if KEYS[2] then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 5))
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[3])
else
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[2])
end
return redis.status_reply('OK')

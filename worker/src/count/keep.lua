-- A step of counting: the windows that closed and the state that follows from them, or nothing.
-- KEYS: the lease of who counts, the state, fingerprints, schemas
-- ARGV: token; the first bytes of the state that this one follows ('' = there was none); the state; retention; schema id and
--       record ('' = no window closed); channel and name for those who score; 1 to give the lease back;
--       then for each window: id of its entry, number of arguments, arguments...
-- Replies: OK, FENCED (the lease is another's), CHANGED (another state stands there), TAKEN (the fingerprints go on behind
--       the first of these windows)

local function later(a, b)
  local a_ms, a_seq = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_seq = string.match(b, '^(%d+)-(%d+)$')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  return a_ms > b_ms or (a_ms == b_ms and tonumber(a_seq) > tonumber(b_seq))
end

local token, before, state, retention, schema, record, channel, name, leave = unpack(ARGV, 1, 9)
if redis.call('GET', KEYS[1]) ~= token then
  return redis.status_reply('FENCED')
end

-- Looked at before anything is written: what fails later would leave windows without the state that knows of them.
for i, expected in ipairs({ 'string', 'string', 'stream', 'hash' }) do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= 'none' and kind ~= expected then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' holds a ' .. kind)
  end
end
if redis.call('GETRANGE', KEYS[2], 0, 17) ~= before then
  return redis.status_reply('CHANGED')
end
local first = ARGV[10]
if first then
  local stream = redis.pcall('XINFO', 'STREAM', KEYS[3])
  if stream.err and not string.find(stream.err, 'no such key', 1, true) then
    return stream
  end
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' and not later(first, stream[i + 1]) then
      return redis.status_reply('TAKEN')
    end
  end
end

-- The first write: refused where memory is full, and then nothing was written.
redis.call('SET', KEYS[2], state)
if schema ~= '' and redis.call('HEXISTS', KEYS[4], schema) == 0 then
  redis.call('HSET', KEYS[4], schema, record)
end
local i = 10
while i <= #ARGV do
  local count = tonumber(ARGV[i + 1])
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', retention, ARGV[i], unpack(ARGV, i + 2, i + 1 + count))
  i = i + 2 + count
end
if leave == '1' then
  redis.call('DEL', KEYS[1])
end
if first then
  redis.pcall('PUBLISH', channel, name)
end
return redis.status_reply('OK')

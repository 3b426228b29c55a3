-- The results of one fingerprint: all of them, or nothing.
-- KEYS: lease, scores, incidents, model, fingerprints
-- ARGV: token, id, last id of scores as the worker knows it, retention, checkpoint ('' = not due), consumer group,
--       channel of all alerts, channel of this monitor's, number of score arguments, score arguments...,
--       then for each message: its entry's id, event, incident, JSON
-- Replies: how many messages the stream of incidents doesn't take, FENCED (the lease is another's), DUP (scored already),
--       BEHIND (the stream doesn't end where the worker thinks: one score would be missing).

local function later(a, b)
  local a_ms, a_seq = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_seq = string.match(b, '^(%d+)-(%d+)$')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  return a_ms > b_ms or (a_ms == b_ms and tonumber(a_seq) > tonumber(b_seq))
end

local token, id, known, retention, checkpoint, group = unpack(ARGV, 1, 6)
if redis.call('GET', KEYS[1]) ~= token then
  return redis.status_reply('FENCED')
end

-- Looked at before anything is written: what fails later would leave a score without its message.
for i = 3, 4 do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= 'none' and kind ~= (i == 3 and 'stream' or 'string') then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' holds a ' .. kind)
  end
end

local last = '0-0'
local stream = redis.pcall('XINFO', 'STREAM', KEYS[2])
if stream.err then
  if not string.find(stream.err, 'no such key', 1, true) then
    return stream
  end
else
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then
      last = stream[i + 1]
    end
  end
end
if last ~= known and later(id, last) then
  return redis.status_reply('BEHIND')
end

local fields = tonumber(ARGV[9])
local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', retention, id, unpack(ARGV, 10, 9 + fields))
if added.err then
  if string.find(added.err, 'equal or smaller', 1, true) then
    return redis.status_reply('DUP')
  end
  return added
end

local unsaid = 0
for i = 10 + fields, #ARGV, 4 do
  local entry, event, incident, json = unpack(ARGV, i, i + 3)
  local said = redis.pcall('XADD', KEYS[3], 'MAXLEN', '~', retention, entry, 'event', event, 'incident', incident,
    'alert', json)
  if not said.err then
    redis.pcall('PUBLISH', ARGV[7], json)
    redis.pcall('PUBLISH', ARGV[8], json)
  -- Scores that were deleted are written again; their messages may still stand and aren't repeated.
  elseif not redis.pcall('XRANGE', KEYS[3], entry, entry)[1] then
    unsaid = unsaid + 1
  end
end

if checkpoint ~= '' then
  redis.call('SET', KEYS[4], checkpoint)
end

-- For operators: XINFO GROUPS says how far scoring is.
local moved = redis.pcall('XGROUP', 'SETID', KEYS[5], group, id)
if moved.err and string.find(moved.err, 'NOGROUP', 1, true) then
  redis.pcall('XGROUP', 'CREATE', KEYS[5], group, id)
end
return unsaid

-- What was learnt elsewhere becomes this monitor's, all of it or nothing.
-- KEYS: its model, settings, schemas, scores and lease
-- ARGV: last id of the scores as the caller saw it; 1 to replace a model that is there; how long workers keep away, in ms;
--       the model ('' = none); number of arguments for settings, those...; then those for schemas...
-- Replies: OK, CHANGED (there are other scores: look again), TAKEN (there is a model)

for i, expected in ipairs({ 'string', 'hash', 'hash', 'stream', 'string' }) do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= 'none' and kind ~= expected then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' holds a ' .. kind)
  end
end

local seen, replace, away, model = unpack(ARGV, 1, 4)
local last = '0-0'
local stream = redis.pcall('XINFO', 'STREAM', KEYS[4])
if not stream.err then
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then
      last = stream[i + 1]
    end
  end
elseif not string.find(stream.err, 'no such key', 1, true) then
  return stream
end
if last ~= seen then
  return redis.status_reply('CHANGED')
end
if replace ~= '1' and redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.status_reply('TAKEN')
end

if model ~= '' then
  redis.call('SET', KEYS[1], model)
end
local settings = tonumber(ARGV[5])
local function set_all(key, first, last_at)
  for i = first, last_at, 2 do
    redis.call('HSET', key, ARGV[i], ARGV[i + 1])
  end
end
if settings > 0 then
  redis.call('DEL', KEYS[2])
end
set_all(KEYS[2], 6, 5 + settings)
set_all(KEYS[3], 6 + settings, #ARGV)
-- The worker that holds the lease drops what it knows, and whoever takes it next goes on from this.
if redis.call('EXISTS', KEYS[5]) == 1 then
  redis.call('SET', KEYS[5], 'imported', 'PX', away)
end
return redis.status_reply('OK')

-- All keys of a monitor are deleted, renamed or copied, or none is.
-- KEYS: the monitor, its fingerprints, schemas, scores, incidents, model, settings, counting, lease:tokens and lease; then, unless
--       it is deleted, the same under the new name
-- ARGV: delete, rename or copy; 1 if nothing is to be changed yet; id of the last message about an incident as the caller
--       saw it; how long workers keep away from the old name, in ms; and if an incident is open, its last words: id of
--       the entry, of the incident, JSON, and for delete the channels to say them on
-- Replies: the number of keys; NONE (nothing belongs to the monitor); CHANGED (there is a newer message: look again); or
--       the keys that stand in the way under the new name

local MONITOR, INCIDENTS, COUNTING, TOKENS, LEASE = 1, 5, 8, 9, 10

local change, only_asked, seen, away = unpack(ARGV, 1, 4)
local entry, incident, json = unpack(ARGV, 5, 7)

local function kind(key)
  return redis.call('TYPE', key).ok
end

local last = ''
if kind(KEYS[INCIDENTS]) == 'stream' then
  local newest = redis.call('XREVRANGE', KEYS[INCIDENTS], '+', '-', 'COUNT', 1)
  last = newest[1] and newest[1][1] or ''
end
if last ~= seen then
  return redis.status_reply('CHANGED')
end

-- A key of that name which is no monitor is somebody else's: own fingerprints need none.
local first = kind(KEYS[MONITOR]) == 'eddymonit' and MONITOR or MONITOR + 1
local there = {}
for i = first, TOKENS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    table.insert(there, i)
  end
end
if #there == 0 then
  return redis.status_reply('NONE')
end

if change ~= 'delete' then
  local taken = {}
  for i = first, COUNTING do
    if redis.call('EXISTS', KEYS[LEASE + i]) == 1 then
      table.insert(taken, KEYS[LEASE + i])
    end
  end
  if #taken > 0 then
    return taken
  end
end

if only_asked == '1' then
  return #there
end

if change == 'copy' then
  local copied = 0
  for _, i in ipairs(there) do
    if i ~= TOKENS then
      local done = redis.pcall('COPY', KEYS[i], KEYS[LEASE + i])
      if type(done) == 'table' and done.err then
        for j = first, COUNTING do
          redis.call('UNLINK', KEYS[LEASE + j])
        end
        return done
      end
      copied = copied + 1
    end
  end
  if json then
    redis.call('XADD', KEYS[LEASE + INCIDENTS], entry, 'event', 'resolved', 'incident', incident, 'alert', json)
  end
  return copied
end

for _, i in ipairs(there) do
  if change == 'delete' then
    redis.call('UNLINK', KEYS[i])
  else
    redis.call('RENAME', KEYS[i], KEYS[LEASE + i])
  end
end
-- The worker that held the lease writes nothing more under the old name and doesn't take it again before it looked which
-- monitors there are.
if redis.call('EXISTS', KEYS[LEASE]) == 1 then
  redis.call('SET', KEYS[LEASE], change .. 'd', 'PX', away)
end
if change == 'rename' then
  redis.call('UNLINK', KEYS[LEASE + LEASE])
end
for i = 8, #ARGV do
  redis.pcall('PUBLISH', ARGV[i], json)
end
return #there

-- Behind recalled.lua: adds a vector to a monitor of vectors, with what is chosen for it.
-- KEYS behind it: what a worker counts for the monitor, what samples are gathered for it, its settings, its vectors. ARGV behind
-- it: most fields of settings that get another one here, most vectors, the channel that wakes workers, the period where the
-- settings have none (ms), words of the settings, these, features and values.
-- Replies 'counted' with the vector's id; or why not: 'module', 'worker', 'samples', 'crowded'.
local counting, gathering, settings, vectors = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local info = redis.pcall('EDDY.INFO', KEYS[1])
if not info.err then
  return {'module', '', ''}
end
-- No module, no monitor of it, or a key that is something else. Whatever else is said is of another kind.
if not (info.err:lower():find('unknown') or info.err:find('no such monitor') or info.err:find('WRONGTYPE')) then
  return info
end
if redis.call('EXISTS', counting) == 1 then
  return {'worker', '', ''}
end
if redis.call('EXISTS', gathering) == 1 then
  return {'samples', '', ''}
end
-- A key that is another's is refused while nothing is written.
redis.call('XREVRANGE', vectors, '+', '-', 'COUNT', 1)
local first = 10
local last = first - 1 + tonumber(ARGV[9])
local added = 0
for at = first, last, 2 do
  added = added + 1 - redis.call('HEXISTS', settings, ARGV[at])
end
if added > 0 and redis.call('HLEN', settings) + added > tonumber(ARGV[5]) then
  return {'crowded', '', ''}
end
-- What an operator chose for the period stays; a range in the code is the one that counts.
redis.call('HSETNX', settings, 'period_ms', ARGV[8])
if last >= first then
  redis.call('HSET', settings, unpack(ARGV, first, last))
end
local id = redis.call('XADD', vectors, 'MAXLEN', '~', ARGV[6], '*', unpack(ARGV, last + 1))
redis.call('HSET', this, ARGV[1], ARGV[2] .. '1:' .. id)
redis.call('PEXPIREAT', this, string.format('%.0f', (generation + 2) * ARGV[3]))
redis.pcall('PUBLISH', ARGV[7], KEYS[1])
return {'counted', '1', id}

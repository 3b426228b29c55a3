-- Behind recalled.lua: counts a request's observations of one monitor.
-- ARGV behind it: for each EDDY.MOBSERVE the number of its words behind the key, and these.
-- Replies what became of it, a flag for each command (1: counted), the first error.
-- First of all: a server without room for it refuses while nothing is counted.
redis.call('HSET', this, ARGV[1], '')
local flags, first, at = {}, '', 5
while ARGV[at] do
  local to = at + tonumber(ARGV[at])
  local reply = redis.pcall('EDDY.MOBSERVE', KEYS[1], unpack(ARGV, at + 1, to))
  local refused = type(reply) == 'table' and reply.err
  if refused and first == '' then
    first = refused
  end
  flags[#flags + 1] = refused and '0' or '1'
  at = to + 1
end
local told = table.concat(flags)
if told:find('1') then
  redis.call('HSET', this, ARGV[1], ARGV[2] .. told .. ':' .. first)
  redis.call('PEXPIREAT', this, string.format('%.0f', (generation + 2) * ARGV[3]))
else
  -- Nothing was counted: trying again must.
  redis.call('HDEL', this, ARGV[1])
end
return {'counted', told, first}

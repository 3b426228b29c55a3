-- What is set for a monitor, unless it is too much to be meant.
-- KEYS: its settings
-- ARGV: most fields, most bytes in all
-- Replies: fields and values; or why they aren't taken, as a status

local fields = redis.call('HLEN', KEYS[1])
if fields > tonumber(ARGV[1]) then
  return redis.status_reply('it has ' .. fields .. ' fields, more than ' .. ARGV[1])
end
local bytes, longest, most = 0, '', -1
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local length = #field + redis.call('HSTRLEN', KEYS[1], field)
  bytes = bytes + length
  if length > most then
    longest, most = field, length
  end
end
if bytes > tonumber(ARGV[2]) then
  local shown = string.gsub(string.sub(longest, 1, 64), '[^%w_:*.-]', '?')
  return redis.status_reply('it has ' .. bytes .. ' bytes, more than ' .. ARGV[2] .. "; the longest is '" .. shown .. "'")
end
return redis.call('HGETALL', KEYS[1])

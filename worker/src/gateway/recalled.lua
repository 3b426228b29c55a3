-- Begins a script that does what a request asks once: where the request is remembered, the script ends here.
-- KEYS: the monitor, its two memories of requests. ARGV: the request, its body, how long it is remembered (ms), how many are.
-- Replies what became of it, a flag for each command (1: done), and what else was said: 'counted', 'other' (it came with another
-- body) or 'full'.
local time = redis.call('TIME')
local generation = math.floor((time[1] * 1000 + math.floor(time[2] / 1000)) / ARGV[3])
local this = KEYS[2 + generation % 2]
for _, memory in ipairs({KEYS[2], KEYS[3]}) do
  local known = redis.call('HGET', memory, ARGV[1])
  if known then
    local body, flags, why = known:sub(1, 16), known:match('^([01]*):(.*)$', 17)
    if body ~= ARGV[2] then
      return {'other', '', ''}
    end
    return {'counted', flags, why}
  end
end
if redis.call('HLEN', this) >= tonumber(ARGV[4]) then
  return {'full', '', ''}
end

-- A hundred events a request; some bodies in turn, so that wrk doesn't measure how it makes them.
local requests = {}
for i = 1, 50 do
  local items = {}
  for j = 1, 100 do
    local n = i * 100 + j
    items[j] = string.format('{"endpoint":"/e%d","status":%d,"latency_ms":%d.5}', n % 40, n % 50 == 0 and 500 or 200, n % 300)
  end
  requests[i] = {'[' .. table.concat(items, ',') .. ']'}
end
local n = 0
request = function()
  n = n + 1
  local made = requests[n % 50 + 1]
  made[2] = made[2] or wrk.format('POST', nil, {['content-type'] = 'application/json'}, made[1])
  return made[2]
end

-- One event a request, none like the other.
local n = 0
request = function()
  n = n + 1
  local body = string.format('{"endpoint":"/e%d","status":%d,"latency_ms":%d.5}', n % 40, n % 50 == 0 and 500 or 200, n % 300)
  return wrk.format('POST', nil, {['content-type'] = 'application/json'}, body)
end

-- Samples of one instance, into its open windows; a window that is over becomes a vector.
-- KEYS: what is gathered, the stream of vectors, the settings. ARGV: the period where the settings have none (ms), how long a
-- window waits for stragglers at most (ms), most features, most series, windows until features are settled, most vectors, the
-- monitor's name, how long all this is kept (ms); then feature, kind, series, time (ms) and value of each sample.
-- Replies samples that were late, whose feature is one too many, whose series is, and vectors written.
local gathered, vectors, settings = KEYS[1], KEYS[2], KEYS[3]
local most_features, most_series, settled = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local period = tonumber(redis.call('HGET', settings, 'period_ms') or '')
if not period or period < 100 then
  period = tonumber(ARGV[1])
  redis.call('HSETNX', settings, 'period_ms', ARGV[1])
end
local patience = math.min(period / 2, tonumber(ARGV[2]))

local state = redis.call('HMGET', gathered, 'windows', 'features', 'closed', 'last', 'series', 'told')
local windows = state[1] and cmsgpack.unpack(state[1]) or {}
local closed, last, series = tonumber(state[3] or '0'), tonumber(state[4] or ''), tonumber(state[5] or '0')
if not last then
  local newest = redis.call('XREVRANGE', vectors, '+', '-', 'COUNT', 1)[1]
  last = newest and tonumber(newest[1]:match('^%d+')) or 0
end
-- Who wrote features into the settings without us chose them.
local chosen = not state[2] and redis.call('HGET', settings, 'features')
local ok, features = pcall(cjson.decode, state[2] or chosen or '[]')
if not ok or type(features) ~= 'table' then
  features = {}
end
local told = tonumber(state[6] or '0')
if chosen then
  closed, told = settled, #features
end
local is_feature = {}
for _, feature in ipairs(features) do
  is_feature[feature] = true
end

local late, no_feature, no_series, written = 0, 0, 0, 0
local before, changed = {}, {}

local function value_before(key)
  if before[key] == nil then
    before[key] = redis.call('HGET', gathered, key) or false
  end
  return before[key]
end

local function close(window)
  local fields = {}
  for _, feature in ipairs(features) do
    local sum = window.sums[feature]
    if sum and (sum[3] == 0 or sum[2] > 0) then
      fields[#fields + 1] = feature
      fields[#fields + 1] = string.format('%.17g', sum[3] == 0 and sum[1] or sum[1] / sum[2])
    end
  end
  last, closed = window.stop, closed + 1
  if #fields > 0 then
    redis.call('XADD', vectors, 'MAXLEN', '~', ARGV[6], string.format('%.0f-0', window.stop), unpack(fields))
    written = written + 1
  end
  if #features > told then
    redis.call('HSET', settings, 'features', cjson.encode(features))
    told = #features
  end
end

local function window_of(stop)
  for _, window in ipairs(windows) do
    if window.stop == stop then
      return window
    end
  end
  local window = {stop = stop, sums = {}}
  windows[#windows + 1] = window
  table.sort(windows, function(a, b) return a.stop < b.stop end)
  return window
end

for at = 9, #ARGV, 5 do
  local feature, kind, time, value = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  while windows[1] and time >= windows[1].stop + patience do
    close(table.remove(windows, 1))
  end
  local key, stop = 'l:' .. ARGV[at + 2], math.floor(time / period) * period + period
  local known = value_before(key)
  local known_time, known_value = 0, nil
  if known then
    known_time, known_value = known:match('^(%d+):(.*)$')
  end
  if time <= tonumber(known_time) then
    -- It came before.
  elseif stop <= last then
    late = late + 1
  elseif not is_feature[feature] and (#features >= most_features or closed >= settled) then
    no_feature = no_feature + 1
  elseif not known and series >= most_series then
    no_series = no_series + 1
  else
    if not is_feature[feature] then
      features[#features + 1], is_feature[feature] = feature, true
    end
    if not known then
      series = series + 1
    end
    before[key] = string.format('%.0f:', time) .. ARGV[at + 4]
    changed[key] = before[key]
    local by, is_counted = value, kind == 'n' or kind == 'N'
    if kind == 'c' or kind == 's' or kind == 'n' then
      -- What grew so far is of the time before; what shrank began again.
      by = known and value - tonumber(known_value)
      by = by and (by < 0 and value or by)
    end
    if by then
      local sums = window_of(stop).sums
      local sum = sums[feature] or {0, 0, (kind == 'c' or kind == 'd') and 0 or 1}
      if is_counted then
        sum[2] = sum[2] + by
      else
        sum[1] = sum[1] + by
      end
      if kind == 'g' then
        sum[2] = sum[2] + 1
      end
      sums[feature] = sum
    end
  end
end

for key, value in pairs(changed) do
  redis.call('HSET', gathered, key, value)
end
redis.call('HSET', gathered, 'windows', cmsgpack.pack(windows), 'features', cjson.encode(features), 'closed', closed,
  'last', string.format('%.0f', last), 'series', series, 'told', told)
redis.call('PEXPIRE', gathered, ARGV[8])
if written > 0 then
  redis.pcall('PUBLISH', 'eddyline:closed', ARGV[7])
end
return {late, no_feature, no_series, written}

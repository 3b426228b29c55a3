-- A page of scores, each with the observations of its window.
-- KEYS: scores, fingerprints
-- ARGV: XRANGE or XREVRANGE, from, to, count
-- Replies: {id, {field, value, ...}, observations or false} for each score. Where the stream has vectors of others, each is
--          one observation.

local scores = redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
local vectors = false
for _, score in ipairs(scores) do
  score[3] = '1'
  if not vectors then
    local window = redis.call('XRANGE', KEYS[2], score[1], score[1])[1]
    if not window then
      score[3] = false
    elseif window[2][1] == 'n' and window[2][3] == 'schema' then
      score[3] = window[2][2]
    else
      vectors = true
    end
  end
end
return scores

-- What wrk does for load.ts: sends the requests that come on stdin, looks at each answer, and writes what came of them as JSON.
local ffi = require("ffi")
ffi.cdef("struct larder_time { long seconds; long nanoseconds; }; int clock_gettime(int clock, struct larder_time *time);")

local MONOTONIC = ffi.os == "OSX" and 6 or 1
-- Every GraphQL server answers errors under this key, and no text of the sample data holds it.
local ERRORS = '"errors":'

local requests = {}
local last = 0
local time = ffi.new("struct larder_time")
local started

local once = false
local answered = 0

-- Kept as globals, where `done` finds them.
wrong = 0
each_second = {}
-- How long all of them took that are asked once.
finished_after = 0

local function now()
  ffi.C.clock_gettime(MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

function setup(of)
  thread = of
end

-- Each request is preceded by a line with its length. With `once`, all are asked once, and what waits for us is told when they are answered.
function init(args)
  once = args[1] == "once"
  local input = io.read("*a")
  local from = 1
  while from <= #input do
    local line_end = input:find("\n", from, true)
    local length = tonumber(input:sub(from, line_end - 1))
    requests[#requests + 1] = input:sub(line_end + 1, line_end + length)
    from = line_end + length + 1
  end
end

function request()
  started = started or now()
  last = last % #requests + 1
  return requests[last]
end

function response(status, _headers, body)
  if status ~= 200 or body:find(ERRORS, 1, true) then wrong = wrong + 1 end
  local elapsed = now() - started
  local second = math.floor(elapsed) + 1
  each_second[second] = (each_second[second] or 0) + 1
  answered = answered + 1
  if once and answered >= #requests then
    finished_after = elapsed
    wrk.thread:stop()
    io.stderr:write("all answered\n")
  end
end

function done(summary, latency)
  local errors = summary.errors
  local counts = thread:get("each_second")
  local finished = thread:get("finished_after")
  local seconds = {}
  for second = 1, table.maxn(counts) do seconds[second] = counts[second] or 0 end
  io.write(string.format(
    '\n{"answered":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d,"wrong":%d,"eachSecond":[%s]}\n',
    summary.requests, finished > 0 and finished * 1e6 or summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, thread:get("wrong"), table.concat(seconds, ",")
  ))
end

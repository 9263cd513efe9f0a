-- What wrk sends. Everything is prepared by load.py: a file for each connection holds one whole request, in which
-- eight places "@" stand for a number that is new each time. One thread is one connection is one till.
local numbered = 0

function setup(thread)
   thread:set("till", numbered)
   numbered = numbered + 1
end

function init(arguments)
   local file = assert(io.open(string.format("%s/%02d.http", arguments[1], till), "rb"))
   local whole = file:read("*a")
   file:close()
   local place = string.find(whole, "@@@@@@@@", 1, true)
   head, tail, count = whole, nil, 0
   if place then
      head, tail = string.sub(whole, 1, place - 1), string.sub(whole, place + 8)
   end
end

function request()
   if not tail then
      return head
   end
   count = count + 1
   return head .. string.format("%08d", count) .. tail
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p95":%d,"p99":%d}\n',
      summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end

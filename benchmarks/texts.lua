-- For wrk: a distinct short text in each request, as model_alone.py writes them; the result as one JSON line.
-- Arguments: the path, and a body with %s where the text goes.
local number, path, body = 0, nil, nil

function init(arguments)
  path, body = arguments[1], arguments[2]
end

function request()
  number = number + 1
  local text = string.format("Order %d of city %d arrived late and the customer asked for help.", number, number % 97)
  return wrk.format("POST", path, {["Content-Type"] = "application/json"}, (body:gsub("%%s", text)))
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.4f, "p50_ms": %.2f, "p99_ms": %.2f, "not_200": %d, "no_answer": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

-- For wrk: a distinct short text in each request, as model_alone.py writes them; the result as one JSON line.
local number = 0

function request()
  number = number + 1
  local body = string.format(
    '{"instances": ["Order %d of city %d arrived late and the customer asked for help."]}', number, number % 97)
  return wrk.format("POST", "/predictions/model", {["Content-Type"] = "application/json"}, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.4f, "p50_ms": %.2f, "p99_ms": %.2f, "not_200": %d, "no_answer": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

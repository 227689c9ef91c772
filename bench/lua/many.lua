-- Requests to COUNT files of one project, in folders of 1,000, one after the other in no order: KIND is
-- get, post or append, SIZE the bytes of a body; TOKEN is the project's.
local kind = os.getenv("KIND")
local count = tonumber(os.getenv("COUNT"))
local headers = { ["Authorization"] = "Bearer " .. os.getenv("TOKEN"), ["Content-Type"] = "application/octet-stream" }
if kind == "append" then headers["FF_MODE"] = "append" end
local method = kind == "get" and "GET" or "POST"
local body = kind ~= "get" and string.rep("x", tonumber(os.getenv("SIZE"))) or nil

function request()
  local number = math.random(count) - 1
  local path = string.format("%s/d%d/f%d", wrk.path, math.floor(number / 1000), number)
  return wrk.format(method, path, headers, body)
end

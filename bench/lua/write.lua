-- Writes files of one size under many names, as a fleet does: METHOD, SIZE, FILES, TOKEN and MODE
-- come from the environment. Every thread and connection goes through all names.
local method = os.getenv("METHOD") or "POST"
local body = string.rep("x", tonumber(os.getenv("SIZE") or "1024"))
local files = tonumber(os.getenv("FILES") or "256")
local headers = { ["Content-Type"] = "application/octet-stream" }
if os.getenv("TOKEN") then headers["Authorization"] = "Bearer " .. os.getenv("TOKEN") end
if os.getenv("MODE") then headers["FF_MODE"] = os.getenv("MODE") end
local requests = {}
local turn = 0

function init()
  for i = 1, files do
    requests[i] = wrk.format(method, wrk.path .. "/f" .. i, headers, body)
  end
  turn = math.random(files)
end

function request()
  turn = turn % files + 1
  return requests[turn]
end

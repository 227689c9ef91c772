-- Requests to the context of many projects. KIND (set, get, keys, page, write), SIZE of a written
-- document in bytes, over how many PROJECTS, how their names begin (PROJECT), over how many SCOPES of each
-- and the QUOTA at the end of their tokens come from the environment. Every connection goes through all
-- projects, which have been filled.
local kind = os.getenv("KIND")
local size = tonumber(os.getenv("SIZE") or "1024")
local projects = tonumber(os.getenv("PROJECTS") or "200")
local prefix = os.getenv("PROJECT") or "project"
local scopes = tonumber(os.getenv("SCOPES") or "20")
local quota = os.getenv("QUOTA")
local headers = {}
local turn = 0
local number = 0
local filling

-- Some of everything that contexts hold: about `bytes` characters.
local function members(bytes)
  local parts, length = {}, 0
  for i = 1, 1000000 do
    local part = string.format('"device%d":{"name":"pump %d","on":%s,"values":[%d,%.2f,null],"note":"caf\195\169 \\"%d\\""}',
      i, i, i % 2 == 0 and "true" or "false", i, i * 1.37, i)
    parts[i] = part
    length = length + #part + 1
    if length >= bytes then break end
  end
  return table.concat(parts, ",")
end

function init()
  if kind == "write" then filling = members(math.max(size - 130, 1)) end
  if kind == "write" or kind == "set" then headers["Content-Type"] = "application/json" end
  turn = math.random(projects)
end

function request()
  turn = turn % projects + 1
  number = number + 1
  local path = "/v1/context/" .. prefix .. turn
  headers["Authorization"] = "Bearer tok." .. prefix .. turn .. "." .. quota
  local scope = "flow" .. number * 7919 % scopes  -- a prime: neighbours in time are none in the table
  if kind == "get" then return wrk.format("GET", path .. "/" .. scope .. "?key=k3.values[1]", headers) end
  if kind == "keys" then return wrk.format("GET", path .. "/" .. scope .. "/keys", headers) end
  if kind == "page" then return wrk.format("GET", path .. "/cache?limit=20", headers) end
  if kind == "set" then
    return wrk.format("POST", path .. "/" .. scope, headers, '[{"key":"k3.b","value":' .. 100000 + number % 900000 .. "}]")
  end
  -- One scope for written documents, so that pages stay what they are.
  return wrk.format("POST", path .. "/cache/written", headers, '{"number":' .. number .. "," .. filling .. "}")
end

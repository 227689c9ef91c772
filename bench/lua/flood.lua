-- One tenant's flood: the method and body are the arguments. A path that ends in /f is that of many files.
local thread_number = 0

function setup(thread)
  thread:set("id", thread_number)
  thread_number = thread_number + 1
end

local turn = 0
local has_many

function init(arguments)
  wrk.method = arguments[1]
  if arguments[2] ~= "" then wrk.body = arguments[2] end
  has_many = wrk.path:sub(-2) == "/f"
end

function request()
  turn = turn % 256 + 1
  return wrk.format(nil, has_many and wrk.path .. id .. "-" .. turn or wrk.path)
end

// Task<T>: what every function that may wait returns. The only place that names the runtime.

#pragma once

#include <functional>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace flowstore {

template <class T = void>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

// Runs the task on the executor until it ends; nobody waits for it. An exception that leaves the
// task is a bug: it is logged to standard error with `name` and the process goes on.
void spawn(const Executor& executor, std::string_view name, Task<> task);

}  // namespace flowstore

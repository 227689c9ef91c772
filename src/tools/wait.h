// Running a task to its end from code that may block.

#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/task.h"

namespace flowstore::tools {

// Runs the task on this thread, with a loop of its own, and returns what it returns. What it throws
// is thrown here.
template <class T>
T wait_for(Task<T> task) {
  boost::asio::io_context loop;
  std::optional<T> outcome;
  std::exception_ptr thrown;
  auto body = [&]() -> Task<> { outcome.emplace(co_await std::move(task)); };
  boost::asio::co_spawn(loop, body(), [&thrown](const std::exception_ptr& how) { thrown = how; });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return *std::move(outcome);
}

}  // namespace flowstore::tools

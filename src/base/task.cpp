#include "base/task.h"

#include <cstdio>
#include <exception>
#include <string>

#include <boost/asio/co_spawn.hpp>

namespace flowstore {

void spawn(const Executor& executor, std::string_view name, Task<> task) {
  boost::asio::co_spawn(executor, std::move(task),
                        [name = std::string(name)](const std::exception_ptr& thrown) {
                          if (!thrown) return;
                          try {
                            std::rethrow_exception(thrown);
                          } catch (const std::exception& error) {
                            std::fprintf(stderr, "flowstore: task %s ended by an exception: %s\n",
                                         name.c_str(), error.what());
                          }
                        });
}

}  // namespace flowstore

#include "context/postgres/tables.h"

#include <utility>
#include <variant>

namespace flowstore::context::postgres {
namespace {

// Rows are counted once, however many there are.
constexpr std::chrono::minutes kSetUpTime{30};

}  // namespace

Task<std::optional<Trouble>> Tables::set_up(Connection& connection) {
  const Instant deadline = std::chrono::steady_clock::now() + kSetUpTime;
  auto found = co_await postgres::set_up(connection, deadline);
  if (auto* trouble = std::get_if<Trouble>(&found)) co_return std::move(*trouble);
  schema_ = std::get<Schema>(std::move(found));
  if (!schema_.warning.empty() && schema_.warning != warning_) log_.warn(schema_.warning);
  warning_ = schema_.warning;
  co_return std::nullopt;
}

}  // namespace flowstore::context::postgres

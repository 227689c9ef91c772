#include "files/bounded_source.h"

namespace flowstore::files {

void BoundedSource::bound(std::uint64_t most, Error error) {
  if (most >= most_) return;
  most_ = most;
  error_.emplace(std::move(error));
}

Task<Result<std::string_view>> BoundedSource::next() {
  auto piece = co_await source_.next();
  if (!piece) co_return piece;
  received_ += piece->size();
  if (received_ > most_) co_return *error_;
  co_return piece;
}

}  // namespace flowstore::files

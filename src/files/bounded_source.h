// BoundedSource: a body that may not become too long.

#pragma once

#include <cstdint>
#include <optional>

#include "base/byte_source.h"

namespace flowstore::files {

// Passes another source on and fails as soon as it has brought more than a bound allows, so that a
// body without a length cannot fill the store before it is refused.
class BoundedSource final : public ByteSource {
 public:
  // `source` must outlive it.
  explicit BoundedSource(ByteSource& source) : source_(source) {}

  // More than `most` bytes fail with `error`. The tightest bound counts.
  void bound(std::uint64_t most, Error error);

  Task<Result<std::string_view>> next() override;
  std::optional<std::uint64_t> size() const override { return source_.size(); }

 private:
  ByteSource& source_;
  std::uint64_t received_ = 0;
  std::uint64_t most_ = UINT64_MAX;
  std::optional<Error> error_;
};

}  // namespace flowstore::files

// JoinedSource: an object with something behind it.

#pragma once

#include <string_view>
#include <utility>

#include "files/s3/object_source.h"

namespace flowstore::files::s3 {

// For rewriting an object that is too large for memory. The object's checksum has been compared
// before the first byte of the tail is given out: a damaged object is not written back.
class JoinedSource final : public ByteSource {
 public:
  // Both must outlive it.
  JoinedSource(ObjectSource& object, std::string_view tail) : object_(object), tail_(tail) {}

  Task<Result<std::string_view>> next() override {
    FLOWSTORE_CO_TRY(const std::string_view piece, co_await object_.next());
    if (!piece.empty()) co_return piece;
    co_return std::exchange(tail_, std::string_view());
  }
  std::optional<std::uint64_t> size() const override { return *object_.size() + tail_.size(); }

 private:
  ObjectSource& object_;
  std::string_view tail_;
};

}  // namespace flowstore::files::s3

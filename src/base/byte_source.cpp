#include "base/byte_source.h"

#include <cassert>

namespace flowstore {

void ByteSource::narrow(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
  assert(false && "this source has no parts");
}

Task<Result<std::string_view>> StringSource::next() {
  if (is_read_) co_return std::string_view();
  is_read_ = true;
  co_return std::string_view(bytes_);
}

}  // namespace flowstore

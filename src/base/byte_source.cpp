#include "base/byte_source.h"

namespace flowstore {

Task<Result<std::string_view>> StringSource::next() {
  if (is_read_) co_return std::string_view();
  is_read_ = true;
  co_return std::string_view(bytes_);
}

}  // namespace flowstore

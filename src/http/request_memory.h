// RequestMemory: what a connection needs while it reads and answers a request, and not between.

#pragma once

#include <cstddef>
#include <vector>

#include "http/handler.h"
#include "http/head_buffer.h"
#include "http/limits.h"
#include "http/request_parser.h"

namespace flowstore::http {

// Lent by the loop from the first byte of a request to the end of its answer: it stays warm in the
// processor's cache, and ten thousand idle connections hold none.
struct RequestMemory {
  explicit RequestMemory(const Limits& limits) : parser(limits) {}

  // Ready for another connection. What an unusual request made large does not stay large.
  void clear() {
    constexpr std::size_t kUsualHeaders = 64;
    buffer.clear();
    parser.reset();
    headers.clear();
    if (headers.capacity() <= kUsualHeaders) return;
    parser.release();
    headers = std::vector<Header>();
  }

  HeadBuffer buffer;
  RequestParser parser;
  std::vector<Header> headers;  // of the current request
};

}  // namespace flowstore::http

// Whatever the bytes and wherever the network cuts them: no crash, and the same requests.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "../support/read_requests.h"

using flowstore::http::ReadRequest;
using flowstore::http::RequestParser;
using flowstore::http::RequestReader;

namespace {

constexpr std::size_t kCuts = 4;

// Small, so that the fuzzer reaches them.
flowstore::http::Limits limits() {
  flowstore::http::Limits limits;
  limits.head_bytes = 400;
  limits.headers = 8;
  return limits;
}

std::vector<ReadRequest> read_in_pieces(std::string_view input, const std::uint8_t* cuts) {
  std::size_t turn = 0;
  const auto next = [cuts, &turn] { return std::size_t{1} + cuts[turn++ % kCuts]; };
  return RequestReader(input, next, limits()).read_all();
}

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_refused(const ReadRequest& request) {
  return request.outcome == RequestParser::Outcome::malformed ||
         request.outcome == RequestParser::Outcome::head_too_large;
}

// A head that is too large and malformed too may be refused for either: the parser counts a name or
// value when it has ended, or at the end of the piece. What was taken as complete is equal.
void compare(const std::vector<ReadRequest>& whole, const std::vector<ReadRequest>& pieces) {
  require(whole.size() == pieces.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    require(is_refused(whole[i]) == is_refused(pieces[i]));
    if (is_refused(whole[i])) continue;
    require(whole[i].outcome == pieces[i].outcome);
    if (whole[i].outcome == RequestParser::Outcome::message_complete)
      require(whole[i] == pieces[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kCuts) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  input.remove_prefix(kCuts);
  const auto whole = RequestReader(
                         input, [&] { return input.size(); }, limits())
                         .read_all();
  compare(whole, read_in_pieces(input, data));
  std::size_t body_bytes = 0;
  for (const ReadRequest& request : whole) body_bytes += request.body.size();
  require(body_bytes <= input.size());
  return 0;
}

// Whatever the bytes and wherever the network cuts them: no crash, and the same requests.

#include <algorithm>
#include <vector>

#include "../support/read_requests.h"
#include "fuzz.h"
#include "http/header_words.h"

using flowstore::fuzz::Cuts;
using flowstore::fuzz::require;
using flowstore::http::ReadRequest;
using flowstore::http::RequestParser;
using flowstore::http::RequestReader;

namespace {

// Small, so that the fuzzer reaches them.
flowstore::http::Limits limits() {
  flowstore::http::Limits limits;
  limits.head_bytes = 400;
  limits.headers = 8;
  return limits;
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

// Nobody reads the head in another way, and the limits hold.
void check(const ReadRequest& request) {
  if (request.outcome != RequestParser::Outcome::message_complete) return;
  require(std::all_of(request.target.begin(), request.target.end(),
                      [](char c) { return c > ' ' && c < 0x7f; }));
  std::size_t bytes = request.target.size();
  int lengths = 0;
  int encodings = 0;
  for (const auto& [name, value] : request.headers) {
    require(!name.empty() && std::all_of(name.begin(), name.end(), flowstore::http::is_token));
    require(std::all_of(value.begin(), value.end(), flowstore::http::is_field_text));
    require(value.empty() || (value.front() != ' ' && value.back() != ' '));
    if (flowstore::http::equals_ignoring_case(name, "content-length")) ++lengths;
    if (flowstore::http::equals_ignoring_case(name, "transfer-encoding")) ++encodings;
    bytes += name.size() + value.size();
  }
  require(bytes < limits().head_bytes && request.headers.size() <= limits().headers);
  require(lengths <= 1 && (lengths == 0 || encodings == 0));
  if (lengths == 0 && encodings == 0) require(request.body.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < Cuts::kCount) return 0;
  std::string_view input = flowstore::fuzz::text_of(data, size);
  Cuts cuts(input);
  const auto at_once = [&] { return input.size(); };
  const auto whole = RequestReader(input, at_once, limits()).read_all();
  const auto in_pieces = [&cuts] { return cuts.next(); };
  compare(whole, RequestReader(input, in_pieces, limits()).read_all());
  std::size_t body_bytes = 0;
  for (const ReadRequest& request : whole) {
    check(request);
    body_bytes += request.body.size();
  }
  require(body_bytes <= input.size());
  return 0;
}

// Any bytes as the answer of a server that we ask: the same wherever the network cuts them, and no
// doubt where its body ends.

#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fuzz.h"
#include "http/header_words.h"
#include "http/response_parser.h"

using flowstore::fuzz::Cuts;
using flowstore::fuzz::require;
using flowstore::http::ResponseParser;
using Outcome = ResponseParser::Outcome;

namespace {

constexpr std::array kNames = {"content-length", "Transfer-Encoding", "etag", "retry-after", "a"};

struct Read {
  Outcome outcome = Outcome::need_more;
  std::size_t consumed = 0;
  int status = 0;
  bool is_chunked = false;
  bool can_be_kept = false;
  std::optional<std::uint64_t> length;
  std::vector<std::string> headers;
  bool operator==(const Read&) const = default;
};

Read what_is_known(const ResponseParser& parser, std::size_t consumed) {
  Read read;
  read.outcome = Outcome::complete;
  read.consumed = consumed;
  read.status = parser.status();
  read.is_chunked = parser.is_chunked();
  read.can_be_kept = parser.can_be_kept();
  read.length = parser.length();
  for (const char* const name : kNames) read.headers.emplace_back(parser.header(name));
  return read;
}

Read read(std::string_view input, bool is_head, const std::function<std::size_t()>& next_cut) {
  ResponseParser parser(is_head);
  std::size_t consumed = 0;
  while (consumed < input.size()) {
    const std::string piece(input.substr(consumed, next_cut()));
    const Outcome outcome = parser.parse(piece);
    require(parser.is_complete() == (outcome == Outcome::complete));
    if (outcome == Outcome::complete) {
      require(parser.is_answering() && parser.consumed() <= piece.size());
      return what_is_known(parser, consumed + parser.consumed());
    }
    if (outcome == Outcome::malformed) {
      Read fault;
      fault.outcome = outcome;
      return fault;
    }
    consumed += piece.size();
  }
  return Read();
}

void check(const Read& answer, std::string_view input, bool is_head) {
  require(answer.status >= 200 && answer.status <= 999);
  require(answer.consumed > 0 && input[answer.consumed - 1] == '\n');
  const std::string& length = answer.headers[0];
  const std::string& encoding = answer.headers[1];
  if (is_head || answer.status == 204 || answer.status == 304) {
    require(!answer.is_chunked && answer.length == 0U);
    return;
  }
  // Never both: a proxy might believe the other one.
  require(!answer.is_chunked || (!answer.length && length.empty()));
  require(answer.is_chunked == !encoding.empty());
  if (!answer.length) return;
  std::uint64_t told = 0;
  std::from_chars(length.data(), length.data() + length.size(), told);
  require(told == *answer.length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < Cuts::kCount) return 0;
  const bool is_head = (data[0] & 1U) != 0;
  std::string_view input = flowstore::fuzz::text_of(data, size);
  Cuts cuts(input);
  const Read whole = read(input, is_head, [] { return std::string_view::npos; });
  require(read(input, is_head, [&cuts] { return cuts.next(); }) == whole);
  if (whole.outcome == Outcome::complete) check(whole, input, is_head);
  return 0;
}

// Any bytes as a chunked body: the same wherever the network cuts them; what we take, llhttp takes
// as the same body with the same end; and what is chunked by the rules comes back as it was.

#include <charconv>
#include <functional>
#include <string>

#include <llhttp.h>

#include "fuzz.h"
#include "http/chunk_decoder.h"
#include "http/header_words.h"

using flowstore::fuzz::Cuts;
using flowstore::fuzz::require;
using flowstore::http::ChunkDecoder;
using Outcome = ChunkDecoder::Outcome;

namespace {

// Small, so that the fuzzer reaches it.
constexpr std::size_t kMaxLine = 100;

struct Decoded {
  Outcome outcome = Outcome::need_more;
  std::string body;
  std::size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};

// What came before a fault is nobody's business: how much that is depends on the cuts.
Decoded malformed() {
  Decoded fault;
  fault.outcome = Outcome::malformed;
  return fault;
}

Decoded decode(std::string_view input, const std::function<std::size_t()>& next_cut) {
  ChunkDecoder decoder(kMaxLine);
  Decoded all;
  while (!input.empty() && all.outcome == Outcome::need_more) {
    std::string piece(input.substr(0, next_cut()));  // of its own, so that ASan knows its end
    all.outcome = decoder.decode(piece);
    if (all.outcome == Outcome::malformed) return malformed();
    all.body += decoder.piece();
    all.consumed += decoder.consumed();
    require(all.outcome == Outcome::complete || decoder.consumed() == piece.size());
    input.remove_prefix(decoder.consumed());
  }
  require(all.body.size() <= all.consumed);
  return all;
}

int keep_body(llhttp_t* parser, const char* at, std::size_t size) {
  static_cast<std::string*>(parser->data)->append(at, size);
  return HPE_OK;
}

Decoded decode_by_llhttp(std::string_view input) {
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
  Decoded all;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = &keep_body;
  settings.on_message_complete = [](llhttp_t*) -> int { return HPE_PAUSED; };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &all.body;
  require(llhttp_execute(&parser, kHead.data(), kHead.size()) == HPE_OK);
  const llhttp_errno_t error = llhttp_execute(&parser, input.data(), input.size());
  if (error != HPE_OK && error != HPE_PAUSED) return malformed();
  all.consumed = input.size();
  if (error == HPE_PAUSED) {
    all.outcome = Outcome::complete;
    all.consumed = static_cast<std::size_t>(llhttp_get_error_pos(&parser) - input.data());
  }
  return all;
}

std::string_view take_whole_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  require(end != std::string_view::npos);
  const std::string_view line = text.substr(0, end);
  require(line.find_first_of("\r\n") == std::string_view::npos);
  text.remove_prefix(end + 2);
  return line;
}

// A body that is whole, read line by line: llhttp 8.1 takes any byte where a LF belongs.
std::string decode_by_the_book(std::string_view text) {
  std::string body;
  while (true) {
    const std::string_view line = take_whole_line(text);
    std::uint64_t size = 0;
    std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (size == 0) break;
    body.append(text.substr(0, size));
    text.remove_prefix(size);
    require(take_whole_line(text).empty());
  }
  while (!take_whole_line(text).empty()) continue;
  require(text.empty());
  return body;
}

bool contains(std::string_view text, std::string_view word) {
  while (text.size() >= word.size()) {
    if (flowstore::http::equals_ignoring_case(text.substr(0, word.size()), word)) return true;
    text.remove_prefix(1);
  }
  return false;
}

// What we take and llhttp 8.1 does not: extensions with quotes, and trailers about framing, which
// it reads as headers and we forget.
bool llhttp_may_refuse(std::string_view input) {
  return contains(input, ";") || contains(input, "content-length") ||
         contains(input, "transfer-encoding");
}

std::string encode(std::string_view body, Cuts& cuts) {
  std::string out;
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, cuts.next());
    char size[16];
    const auto end = std::to_chars(size, size + sizeof size, chunk.size(), 16).ptr;
    out.append(size, end).append("\r\n").append(chunk).append("\r\n");
    body.remove_prefix(chunk.size());
  }
  return out + "0\r\n\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < Cuts::kCount) return 0;
  std::string_view input = flowstore::fuzz::text_of(data, size);
  Cuts cuts(input);
  const auto at_once = [] { return std::string_view::npos; };
  const auto in_pieces = [&cuts] { return cuts.next(); };

  const Decoded whole = decode(input, at_once);
  require(decode(input, in_pieces) == whole);
  const Decoded beside = decode_by_llhttp(input);
  const bool may_differ = beside.outcome == Outcome::malformed && llhttp_may_refuse(input);
  if (whole.outcome != Outcome::malformed && !may_differ) require(beside == whole);

  if (whole.outcome == Outcome::complete)
    require(decode_by_the_book(input.substr(0, whole.consumed)) == whole.body);

  const std::string chunked = encode(input, cuts);
  const Decoded back = decode(chunked + "surplus", in_pieces);
  require(back.outcome == Outcome::complete && back.body == input);
  require(back.consumed == chunked.size());
  return 0;
}

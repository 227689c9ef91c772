#include "http/request_parser.h"

#include <algorithm>

#include <llhttp.h>

#include "http/header_words.h"

namespace flowstore::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The offset behind the blanks that begin at `at`.
std::size_t skip_blanks(std::string_view head, std::size_t at) {
  while (at < head.size() && is_blank(head[at])) ++at;
  return at;
}

// llhttp alone lets control characters and bytes above ASCII pass.
bool is_target(std::string_view target) {
  return std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// What follows the target: blanks, the version, the end of the line. llhttp alone accepts HTTP/0.9,
// HTTP/2.0, RTSP and ICE. The offset of the next line; 0 if this is something else.
std::size_t skip_version(std::string_view head, std::size_t at) {
  at = skip_blanks(head, at);
  const std::string_view version = head.substr(at, 10);
  return version == "HTTP/1.1\r\n" || version == "HTTP/1.0\r\n" ? at + version.size() : 0;
}

}  // namespace

struct RequestParser::Engine {
  static RequestParser& owner(llhttp_t* parser) {
    return *static_cast<RequestParser*>(parser->data);
  }

  static int on_url(llhttp_t* parser, const char* at, std::size_t size) {
    return owner(parser).extend(owner(parser).target_, at, size);
  }

  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
    RequestParser& request = owner(parser);
    if (request.is_field_complete_ && request.open_field() != HPE_OK) return HPE_USER;
    return request.extend(request.fields_.back().name, at, size);
  }

  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
    RequestParser& request = owner(parser);
    return request.extend(request.fields_.back().value, at, size);
  }

  static int on_header_value_complete(llhttp_t* parser) {
    owner(parser).is_field_complete_ = true;  // also after an empty value, which has no span
    return HPE_OK;
  }

  static int on_headers_complete(llhttp_t* parser) {
    // To llhttp the message ends here: bodies are decoded by take_body().
    constexpr int kNoBody = 1;
    RequestParser& request = owner(parser);
    request.is_head_complete_ = true;
    request.is_chunked_ = (parser->flags & F_CHUNKED) != 0;
    request.content_length_ = parser->content_length;
    request.remaining_ = parser->content_length;
    request.wants_keep_alive_ = llhttp_should_keep_alive(parser) != 0;
    // An Upgrade that nobody takes is an ordinary request, as in Node.js without an upgrade
    // listener.
    if (parser->method != HTTP_CONNECT) parser->upgrade = 0;
    return kNoBody;
  }

  static int on_message_complete(llhttp_t*) { return HPE_PAUSED; }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t settings = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_url = &on_url;
      made.on_header_field = &on_header_field;
      made.on_header_value = &on_header_value;
      made.on_header_value_complete = &on_header_value_complete;
      made.on_headers_complete = &on_headers_complete;
      made.on_message_complete = &on_message_complete;
      return made;
    }();
    return settings;
  }

  llhttp_t parser{};
};

RequestParser::RequestParser(const Limits& limits)
    : limits_(limits), engine_(std::make_unique<Engine>()), chunks_(limits.head_bytes) {
  reset();
}

RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  llhttp_init(&engine_->parser, HTTP_REQUEST, &Engine::settings());
  engine_->parser.data = this;
  chunks_.reset();
  consumed_ = 0;
  body_piece_ = std::string_view();
  target_ = Span();
  fields_.clear();
  content_length_ = 0;
  remaining_ = 0;
  head_bytes_ = 0;
  is_field_complete_ = true;
  is_head_complete_ = false;
  is_head_too_large_ = false;
  is_chunked_ = false;
  wants_keep_alive_ = false;
}

RequestParser::Outcome RequestParser::parse(char* buffer, std::size_t from, std::size_t to) {
  buffer_ = buffer;
  body_piece_ = std::string_view();
  if (!is_head_complete_) {
    const Outcome outcome = parse_head(from, to);
    if (outcome != Outcome::message_complete) return outcome;
    from = consumed_;
  }
  return take_body(std::span(buffer + from, to - from), from);
}

// message_complete: the head ended at consumed_.
RequestParser::Outcome RequestParser::parse_head(std::size_t from, std::size_t to) {
  const llhttp_errno_t error = llhttp_execute(&engine_->parser, buffer_ + from, to - from);
  if (is_head_too_large_) return Outcome::head_too_large;
  // CONNECT stops llhttp for a reason of its own, at the same place.
  const bool has_ended = is_head_complete_ && (error == HPE_PAUSED || error == HPE_PAUSED_UPGRADE);
  if (!has_ended) return error == HPE_OK ? Outcome::need_more : Outcome::malformed;
  consumed_ = static_cast<std::size_t>(llhttp_get_error_pos(&engine_->parser) - buffer_);
  const std::string_view head(buffer_, consumed_);
  return is_well_formed(head) && is_well_framed(head) ? Outcome::message_complete
                                                      : Outcome::malformed;
}

RequestParser::Outcome RequestParser::take_body(std::span<char> input, std::size_t from) {
  if (is_chunked_) {
    const auto outcome = chunks_.decode(input);
    if (outcome == ChunkDecoder::Outcome::malformed) return Outcome::malformed;
    body_piece_ = chunks_.piece();
    consumed_ = from + chunks_.consumed();
    return outcome == ChunkDecoder::Outcome::complete ? Outcome::message_complete
                                                      : Outcome::need_more;
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
  body_piece_ = std::string_view(input.data(), size);
  remaining_ -= size;
  consumed_ = from + size;
  return remaining_ == 0 ? Outcome::message_complete : Outcome::need_more;
}

// Walks over the head and accepts only `name: value CR LF` with nothing else between, so that no
// other reader of the same bytes can see other fields. llhttp 8.1 lets pass: a LF without CR, a CR
// without LF, and blanks before the colon or the name.
bool RequestParser::is_well_formed(std::string_view head) const {
  if (!is_target(target(head.data()))) return false;
  std::size_t at = skip_version(head, target_.end());
  if (at == 0) return false;
  for (const Field& field : fields_) {
    const std::string_view name = head.substr(field.name.offset, field.name.size);
    if (field.name.offset != at || name.empty()) return false;
    if (name.find(' ') != std::string_view::npos) return false;
    at += name.size();
    if (at == head.size() || head[at] != ':') return false;
    at = skip_blanks(head, at + 1);
    if (field.value.size > 0 && field.value.offset != at) return false;
    at = skip_blanks(head, at + field.value.size);
    if (head.substr(at, kLineEnd.size()) != kLineEnd) return false;
    at += kLineEnd.size();
  }
  return head.substr(at) == kLineEnd;
}

// A body whose end is a matter of opinion is how requests are smuggled past a proxy: no
// Transfer-Encoding but chunked, none with HTTP/1.0, and none beside a Content-Length. llhttp does
// not see one with an empty value.
bool RequestParser::is_well_framed(std::string_view head) const {
  const bool has_encoding = std::any_of(fields_.begin(), fields_.end(), [head](const Field& field) {
    const auto name = head.substr(field.name.offset, field.name.size);
    return equals_ignoring_case(name, "transfer-encoding");
  });
  if (!has_encoding) return true;
  return is_chunked_ && !is_http_1_0() && (engine_->parser.flags & F_CONTENT_LENGTH) == 0;
}

std::string_view RequestParser::method() const noexcept {
  return llhttp_method_name(static_cast<llhttp_method_t>(engine_->parser.method));
}

bool RequestParser::is_http_1_0() const noexcept { return engine_->parser.http_minor == 0; }

bool RequestParser::is_connect() const noexcept { return engine_->parser.method == HTTP_CONNECT; }

std::string_view RequestParser::target(const char* head) const noexcept {
  return std::string_view(head + target_.offset, target_.size);
}

void RequestParser::headers(const char* head, std::vector<Header>& out) const {
  out.clear();
  for (const Field& field : fields_) {
    std::string_view value(head + field.value.offset, field.value.size);
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    const std::string_view name(head + field.name.offset, field.name.size);
    out.push_back(Header{name, value});
  }
}

std::optional<std::uint64_t> RequestParser::content_length() const noexcept {
  if (is_chunked_) return std::nullopt;
  return content_length_;
}

int RequestParser::extend(Span& span, const char* at, std::size_t size) {
  head_bytes_ += size;  // target, names and values: what Node.js counts
  if (head_bytes_ >= limits_.head_bytes) {
    is_head_too_large_ = true;
    return HPE_USER;
  }
  const auto offset = static_cast<std::size_t>(at - buffer_);
  if (span.size == 0) span.offset = offset;
  if (offset != span.end()) return HPE_USER;  // a folded value, which llhttp 8.1 gives in pieces
  span.size += size;
  return HPE_OK;
}

int RequestParser::open_field() {
  if (fields_.size() == limits_.headers) {
    is_head_too_large_ = true;
    return HPE_USER;
  }
  fields_.emplace_back();
  is_field_complete_ = false;
  return HPE_OK;
}

}  // namespace flowstore::http

#include "http/response_parser.h"

#include <algorithm>

#include <llhttp.h>

#include "http/header_words.h"

namespace flowstore::http {

struct ResponseParser::Engine {
  static ResponseParser& owner(llhttp_t* parser) {
    return *static_cast<ResponseParser*>(parser->data);
  }

  static int on_message_begin(llhttp_t* parser) {
    owner(parser).begin_head();
    return HPE_OK;
  }

  static int on_status_complete(llhttp_t* parser) {
    owner(parser).is_answering_ = parser->status_code >= 200;
    return HPE_OK;
  }

  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
    ResponseParser& answer = owner(parser);
    if (answer.is_value_complete_) answer.headers_.emplace_back();
    answer.is_value_complete_ = false;
    answer.headers_.back().first.append(at, size);
    return HPE_OK;
  }

  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
    owner(parser).headers_.back().second.append(at, size);
    return HPE_OK;
  }

  static int on_header_value_complete(llhttp_t* parser) {
    owner(parser).is_value_complete_ = true;
    return HPE_OK;
  }

  static int on_headers_complete(llhttp_t* parser) {
    // To llhttp the message ends here: bodies are read by ReplyReader.
    constexpr int kNoBody = 1;
    constexpr int kSwitchingProtocols = 101;
    ResponseParser& answer = owner(parser);
    const bool is_old = parser->http_minor == 0;
    const bool is_http = parser->http_major == 1 && parser->status_code >= 100 &&
                         parser->status_code <= 999 && parser->status_code != kSwitchingProtocols;
    if (!is_http || !answer.has_clear_end(parser->flags, is_old)) return HPE_USER;
    parser->upgrade = 0;
    if (parser->status_code < 200) return kNoBody;
    answer.is_answering_ = true;
    answer.is_complete_ = true;
    answer.status_ = parser->status_code;
    answer.can_be_kept_ = is_old ? (parser->flags & F_CONNECTION_KEEP_ALIVE) != 0
                                 : (parser->flags & F_CONNECTION_CLOSE) == 0;
    const bool has_body =
        !answer.is_head_request_ && answer.status_ != 204 && answer.status_ != 304;
    answer.is_chunked_ = has_body && (parser->flags & F_CHUNKED) != 0;
    const bool has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
    if (!has_body) answer.length_ = 0;
    if (has_body && has_length) answer.length_ = parser->content_length;
    return kNoBody;
  }

  static int on_message_complete(llhttp_t* parser) {
    return owner(parser).is_complete_ ? HPE_PAUSED : HPE_OK;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t settings = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_message_begin = &on_message_begin;
      made.on_status_complete = &on_status_complete;
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

ResponseParser::ResponseParser(bool is_head_request)
    : is_head_request_(is_head_request), engine_(std::make_unique<Engine>()) {
  llhttp_init(&engine_->parser, HTTP_RESPONSE, &Engine::settings());
  engine_->parser.data = this;
}

ResponseParser::~ResponseParser() = default;

void ResponseParser::begin_head() {
  headers_.clear();
  is_value_complete_ = true;
}

// As for requests: no Transfer-Encoding but chunked, none with HTTP/1.0, and none beside a
// Content-Length. llhttp does not see one with an empty value.
bool ResponseParser::has_clear_end(unsigned flags, bool is_http_1_0) const {
  const bool has_encoding = std::any_of(headers_.begin(), headers_.end(), [](const auto& header) {
    return equals_ignoring_case(header.first, "transfer-encoding");
  });
  if (!has_encoding) return true;
  return (flags & F_CHUNKED) != 0 && (flags & F_CONTENT_LENGTH) == 0 && !is_http_1_0;
}

// llhttp 8.1 takes any byte for the LF behind a CR, and a LF without a CR.
bool ResponseParser::has_whole_line_ends(std::string_view head) {
  for (const char c : head) {
    if ((last_ == '\r') != (c == '\n')) return false;
    last_ = c;
  }
  return true;
}

ResponseParser::Outcome ResponseParser::parse(std::string_view bytes) {
  const llhttp_errno_t error = llhttp_execute(&engine_->parser, bytes.data(), bytes.size());
  std::size_t end = bytes.size();
  const bool has_ended = is_complete_ && error == HPE_PAUSED;
  if (has_ended)
    end = static_cast<std::size_t>(llhttp_get_error_pos(&engine_->parser) - bytes.data());
  const bool is_well_formed = has_whole_line_ends(bytes.substr(0, end));
  if (has_ended && is_well_formed) {
    consumed_ = end;
    return Outcome::complete;
  }
  bytes_ += bytes.size();
  const bool is_incomplete = error == HPE_OK && is_well_formed && bytes_ < kMostBytes;
  if (!is_incomplete) is_complete_ = false;
  return is_incomplete ? Outcome::need_more : Outcome::malformed;
}

std::string_view ResponseParser::header(std::string_view name) const {
  for (const auto& [known, value] : headers_) {
    if (equals_ignoring_case(known, name)) return value;
  }
  return {};
}

}  // namespace flowstore::http

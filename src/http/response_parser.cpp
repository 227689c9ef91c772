#include "http/response_parser.h"

#include <algorithm>
#include <cctype>

#include <llhttp.h>

namespace flowstore::http {

struct ResponseParser::Engine {
  static ResponseParser& owner(llhttp_t* parser) {
    return *static_cast<ResponseParser*>(parser->data);
  }

  static int on_message_begin(llhttp_t* parser) {
    owner(parser).begin_head();
    return HPE_OK;
  }

  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
    ResponseParser& answer = owner(parser);
    if (answer.is_value_complete_) answer.headers_.emplace_back();
    answer.is_value_complete_ = false;
    return answer.extend(answer.headers_.back().first, at, size);
  }

  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
    ResponseParser& answer = owner(parser);
    return answer.extend(answer.headers_.back().second, at, size);
  }

  static int on_header_value_complete(llhttp_t* parser) {
    owner(parser).is_value_complete_ = true;
    return HPE_OK;
  }

  static int on_headers_complete(llhttp_t* parser) {
    // To llhttp the message ends here: bodies are read by Reply.
    constexpr int kNoBody = 1;
    ResponseParser& answer = owner(parser);
    answer.status_ = parser->status_code;
    if (answer.status_ < 200) return kNoBody;
    answer.is_complete_ = true;
    answer.can_be_kept_ = llhttp_should_keep_alive(parser) != 0;
    const bool has_body =
        !answer.is_head_request_ && answer.status_ != 204 && answer.status_ != 304;
    answer.is_chunked_ = has_body && (parser->flags & F_CHUNKED) != 0;
    const bool has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
    if (!has_body) answer.length_ = 0;
    if (has_body && has_length && !answer.is_chunked_) answer.length_ = parser->content_length;
    parser->upgrade = 0;
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

int ResponseParser::extend(std::string& text, const char* at, std::size_t size) {
  bytes_ += size;
  if (bytes_ > kMostBytes) return HPE_USER;
  text.append(at, size);
  return HPE_OK;
}

ResponseParser::Outcome ResponseParser::parse(std::string_view bytes) {
  const llhttp_errno_t error = llhttp_execute(&engine_->parser, bytes.data(), bytes.size());
  if (is_complete_ && error == HPE_PAUSED) {
    const char* const end = llhttp_get_error_pos(&engine_->parser);
    consumed_ = static_cast<std::size_t>(end - bytes.data());
    for (auto& [name, value] : headers_) {
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    }
    return Outcome::complete;
  }
  return error == HPE_OK ? Outcome::need_more : Outcome::malformed;
}

std::string_view ResponseParser::header(std::string_view name) const {
  for (const auto& [known, value] : headers_) {
    if (known == name) return value;
  }
  return {};
}

}  // namespace flowstore::http

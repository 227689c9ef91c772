// ResponseParser: the head of an answer to a request of ours.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowstore::http {

// Over llhttp, strictly. Interim answers (1xx) are passed over. For one answer.
class ResponseParser {
 public:
  enum class Outcome : std::uint8_t { need_more, complete, malformed };

  // A HEAD has an answer without a body, whatever its head says.
  explicit ResponseParser(bool is_head_request);
  ~ResponseParser();

  // Takes what has come; after complete, consumed() tells where the body begins in it.
  Outcome parse(std::string_view bytes);
  std::size_t consumed() const noexcept { return consumed_; }

  int status() const noexcept { return status_; }
  // Of lower-case names; empty if there is none.
  std::string_view header(std::string_view name) const;

  bool is_chunked() const noexcept { return is_chunked_; }
  // The bytes of the body; nothing: known by its chunks or the end of the connection.
  std::optional<std::uint64_t> length() const noexcept { return length_; }
  bool can_be_kept() const noexcept { return can_be_kept_; }

 private:
  struct Engine;

  // Of all header names and values.
  static constexpr std::size_t kMostBytes = 64U << 10;

  int extend(std::string& text, const char* at, std::size_t size);
  void begin_head();

  bool is_head_request_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::pair<std::string, std::string>> headers_;
  bool is_value_complete_ = true;
  bool is_complete_ = false;
  std::size_t bytes_ = 0;
  std::size_t consumed_ = 0;
  int status_ = 0;
  bool is_chunked_ = false;
  bool can_be_kept_ = false;
  std::optional<std::uint64_t> length_;
};

}  // namespace flowstore::http

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

// Over llhttp, strictly: what others could read as ending elsewhere is malformed. Interim answers
// (1xx) are passed over. For one answer.
class ResponseParser {
 public:
  enum class Outcome : std::uint8_t { need_more, complete, malformed };

  // A HEAD has an answer without a body, whatever its head says.
  explicit ResponseParser(bool is_head_request);
  ~ResponseParser();

  // Takes what has come; after complete, consumed() tells where the body begins in it.
  Outcome parse(std::string_view bytes);
  std::size_t consumed() const noexcept { return consumed_; }

  // What is being read is no interim answer, if not complete.
  bool is_answering() const noexcept { return is_answering_; }
  bool is_complete() const noexcept { return is_complete_; }

  // What follows is valid once the head is complete.
  int status() const noexcept { return status_; }
  // The value of the first header of that name, in whatever case; empty if there is none.
  std::string_view header(std::string_view name) const;

  bool is_chunked() const noexcept { return is_chunked_; }
  // The bytes of the body; nothing: known by its chunks or the end of the connection.
  std::optional<std::uint64_t> length() const noexcept { return length_; }
  bool can_be_kept() const noexcept { return can_be_kept_; }

 private:
  struct Engine;

  // Of the head and of all interim answers before it.
  static constexpr std::size_t kMostBytes = 64U << 10;

  void begin_head();
  bool has_clear_end(unsigned flags, bool is_http_1_0) const;
  bool has_whole_line_ends(std::string_view head);

  bool is_head_request_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::pair<std::string, std::string>> headers_;
  char last_ = '\0';  // of what has come of the head
  bool is_value_complete_ = true;
  bool is_answering_ = false;
  bool is_complete_ = false;
  std::size_t bytes_ = 0;
  std::size_t consumed_ = 0;
  int status_ = 0;
  bool is_chunked_ = false;
  bool can_be_kept_ = false;
  std::optional<std::uint64_t> length_;
};

}  // namespace flowstore::http

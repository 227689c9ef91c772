// Bodies for tests: ones that come in pieces or break off, and the bytes of what was opened.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

#include "base/byte_source.h"
#include "base/content.h"
#include "support/run.h"

namespace flowstore {

// A body in pieces, whose length nobody announces unless the test does.
class PiecesSource final : public ByteSource {
 public:
  explicit PiecesSource(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  // What size() says.
  void announce(std::uint64_t size) { size_ = size; }
  // The body breaks off after its pieces.
  void break_off(Error error) { error_.emplace(std::move(error)); }

  // How many pieces somebody wanted.
  std::size_t pulled() const noexcept { return next_; }

  Task<Result<std::string_view>> next() override {
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (error_) co_return *error_;
    co_return std::string_view();
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
  std::optional<std::uint64_t> size_;
  std::optional<Error> error_;
};

// What a client that goes away does to its body.
inline Error client_went_away() { return Error(ErrorKind::aborted, "ECONNRESET", "aborted"); }

inline std::string bytes_of(const Content::File& part) {
  std::string bytes(part.length, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto offset = static_cast<off_t>(part.offset + done);
    const ssize_t got =
        ::pread(part.descriptor.get(), bytes.data() + done, bytes.size() - done, offset);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

// All bytes of the content, whatever its form; those before an error of a stream. What comes over a
// network must be pulled where it was opened.
inline Task<std::string> pull_all(const Content& content) {
  const Content::Form& form = content.form();
  if (const auto* text = std::get_if<std::string>(&form)) co_return *text;
  if (const auto* view = std::get_if<std::string_view>(&form)) co_return std::string(*view);
  if (const auto* shared = std::get_if<Content::Shared>(&form)) {
    co_return shared->bytes->substr(shared->offset, shared->length);
  }
  if (const auto* file = std::get_if<Content::File>(&form)) co_return bytes_of(*file);
  std::string bytes;
  if (const auto* stream = std::get_if<Content::Stream>(&form)) {
    while (true) {
      const auto piece = co_await stream->source->next();
      if (!piece || piece->empty()) break;
      bytes.append(*piece);
    }
  }
  co_return bytes;
}

inline std::string bytes_of(const Content& content) { return run(pull_all(content)); }

}  // namespace flowstore

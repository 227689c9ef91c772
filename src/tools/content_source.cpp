// Blocks: reads files.

#include "tools/content_source.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace flowstore::tools {
namespace {

constexpr std::uint64_t kPiece = 256 * 1024;

// Bytes that somebody else keeps, or an open file.
class PieceSource final : public ByteSource {
 public:
  explicit PieceSource(Content content)
      : content_(std::move(content)), left_(content_.size().value_or(0)) {}

  Task<Result<std::string_view>> next() override {
    const auto wanted = static_cast<std::size_t>(std::min(left_, kPiece));
    if (wanted == 0) co_return std::string_view();
    if (const auto* file = std::get_if<Content::File>(&content_.form())) {
      co_return read(*file, wanted);
    }
    const std::string_view piece = bytes().substr(static_cast<std::size_t>(at_), wanted);
    at_ += wanted;
    left_ -= wanted;
    co_return piece;
  }

  std::optional<std::uint64_t> size() const override { return content_.size(); }

 private:
  std::string_view bytes() const {
    const Content::Form& form = content_.form();
    if (const auto* own = std::get_if<std::string>(&form)) return *own;
    if (const auto* constant = std::get_if<std::string_view>(&form)) return *constant;
    const auto& shared = std::get<Content::Shared>(form);
    return std::string_view(*shared.bytes)
        .substr(static_cast<std::size_t>(shared.offset), static_cast<std::size_t>(shared.length));
  }

  Result<std::string_view> read(const Content::File& file, std::size_t wanted) {
    buffer_.resize(wanted);
    const auto offset = static_cast<off_t>(file.offset + at_);
    ssize_t count = -1;
    do {
      count = ::pread(file.descriptor.get(), buffer_.data(), wanted, offset);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      return Error(ErrorKind::unavailable, "ESTORE",
                   "cannot be read: " + std::system_category().message(errno));
    }
    if (count == 0) {
      return Error(ErrorKind::conflict, "changed", "became shorter while it was read");
    }
    at_ += static_cast<std::uint64_t>(count);
    left_ -= static_cast<std::uint64_t>(count);
    return std::string_view(buffer_).substr(0, static_cast<std::size_t>(count));
  }

  Content content_;
  std::uint64_t at_ = 0;
  std::uint64_t left_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<ByteSource> source_of(Content content) {
  if (auto* stream = std::get_if<Content::Stream>(&content.form())) {
    return std::move(stream->source);
  }
  if (std::holds_alternative<std::monostate>(content.form())) {
    return std::make_unique<StringSource>(std::string());
  }
  return std::make_unique<PieceSource>(std::move(content));
}

}  // namespace flowstore::tools

// Content: what an answer or a stored file consists of, in the form that is cheapest to send.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/byte_source.h"
#include "base/file_descriptor.h"

namespace flowstore {

// One of: nothing, bytes in memory, a piece of an open file, a pull stream. Moves, never copies
// the bytes.
class Content {
 public:
  // Bytes shared with others who only read them, as the memory driver does.
  struct Shared {
    explicit Shared(std::shared_ptr<const std::string> all)
        : bytes(std::move(all)), length(bytes->size()) {}
    std::shared_ptr<const std::string> bytes;
    std::uint64_t offset = 0;
    std::uint64_t length;
  };
  // [offset, offset + length) of an open regular file. Somebody may shorten the file meanwhile.
  struct File {
    File(FileDescriptor fd, std::uint64_t size) : descriptor(std::move(fd)), length(size) {}
    FileDescriptor descriptor;
    std::uint64_t offset = 0;
    std::uint64_t length;
  };
  struct Stream {
    explicit Stream(std::unique_ptr<ByteSource> bytes) : source(std::move(bytes)) {}
    std::unique_ptr<ByteSource> source;
  };
  using Form = std::variant<std::monostate, std::string, std::string_view, Shared, File, Stream>;

  Content() = default;
  Content(std::string bytes) : form_(std::move(bytes)) {}
  Content(Shared shared) : form_(std::move(shared)) {}
  Content(File file) : form_(std::move(file)) {}
  Content(std::unique_ptr<ByteSource> source) : form_(Stream(std::move(source))) {}

  // Bytes that live as long as the program, such as a string literal.
  static Content constant(std::string_view bytes) {
    Content content;
    content.form_ = bytes;
    return content;
  }

  // Bytes; nothing for a stream whose length is not known.
  std::optional<std::uint64_t> size() const;

  // The part [offset, offset + length). Precondition: it lies within size(); of a stream see
  // ByteSource::narrow.
  Content slice(std::uint64_t offset, std::uint64_t length) &&;

  const Form& form() const noexcept { return form_; }
  Form& form() noexcept { return form_; }

 private:
  Form form_;
};

}  // namespace flowstore

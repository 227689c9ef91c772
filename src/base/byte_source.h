// ByteSource: bytes that arrive piece by piece, pulled by whoever wants them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace flowstore {

// A body on its way in or out. Pulling is the back-pressure: what is not asked for is not read.
// Used by one task at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // The next piece; empty at the end, and from then on. The view is valid until the next call. An
  // error ends the stream: what came before it is not the whole body.
  virtual Task<Result<std::string_view>> next() = 0;

  // Bytes in total, where that is known before they arrive.
  virtual std::optional<std::uint64_t> size() const = 0;

  // From now on only the part [offset, offset + length). Precondition: it lies within size(), no
  // piece has been pulled, and this is the content of a stored file: others cannot.
  virtual void narrow(std::uint64_t offset, std::uint64_t length);
};

// The given bytes, in one piece.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}

  Task<Result<std::string_view>> next() override;
  std::optional<std::uint64_t> size() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  bool is_read_ = false;
};

}  // namespace flowstore

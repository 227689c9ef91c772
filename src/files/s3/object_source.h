// ObjectSource: the bytes of an object, pulled from the store as they are wanted.

#pragma once

#include <optional>
#include <string>

#include "aws/digest.h"
#include "base/byte_source.h"
#include "base/digest.h"
#include "files/s3/objects.h"

namespace flowstore::files::s3 {

// The version of an object that was found, and no other: what breaks off goes on where it was, if
// the object is still the same. What arrives whole is compared with the checksum that came with it,
// and its last piece is held back until then. Used on one executor, by one task at a time.
class ObjectSource final : public ByteSource {
 public:
  // Asks for nothing before the first pull. `objects` must outlive it.
  ObjectSource(Objects& objects, std::string key, Found found, bool has_md5_etags);

  // Goes on with an answer of the whole object that is there already.
  void begin_with(Answer answer);
  // Fails with unavailable by then, if not all has come.
  void end_by(http::Instant deadline);

  Task<Result<std::string_view>> next() override;
  std::optional<std::uint64_t> size() const override { return range_.length; }
  void narrow(std::uint64_t offset, std::uint64_t length) override;

 private:
  // Tries that bring no byte, in a row.
  static constexpr int kMostFailures = 4;

  Task<Status> open();
  Status take(std::string_view piece);
  bool is_whole() const noexcept { return range_.length == found_.stat.size; }
  void choose_checksum(const Answer& answer);

  Objects& objects_;
  std::string key_;
  Found found_;
  bool has_md5_etags_;
  Range range_;
  std::uint64_t done_ = 0;  // of range_.length
  int failures_ = 0;
  Deadline deadline_;
  std::unique_ptr<http::Reply> reply_;  // none before the first pull and after the last
  // Of the whole object, in the form that it was announced in; none: not to be checked.
  std::string expected_;
  std::optional<aws::Crc32> crc_;
  std::optional<Digest> md5_;
};

// All of its bytes. For small objects.
Task<Result<std::string>> read_all(ObjectSource& source);

}  // namespace flowstore::files::s3

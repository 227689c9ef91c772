// Incoming: a body on its way into the bucket.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/file_store.h"
#include "files/s3/appender.h"
#include "files/s3/byte_budget.h"
#include "files/s3/changes.h"
#include "files/s3/multipart.h"
#include "files/s3/objects.h"

namespace flowstore::files::s3 {

// What all uploads of a store share. All must outlive them.
struct UploadShop {
  Objects& objects;
  Changes& changes;
  Appender& appender;
  ByteBudget& memory;
};

// A small body is kept in memory and sent with its commit; a larger one goes to the store in parts
// as it comes, and the commit makes them visible. Nothing touches this machine's disk.
class Incoming final : public Upload {
 public:
  Incoming(const UploadShop& shop, FileKey key, WriteMode mode);

  // Reads the body to its end.
  Task<Status> take_in(ByteSource& body);

  std::uint64_t size() const override { return size_; }
  Task<Result<WriteResult>> commit(Expected expected) override;

 private:
  Task<Status> fill_buffer(ByteSource& body, std::string_view& rest);
  Task<Status> take_parts(ByteSource& body, std::string_view rest);
  Task<Status> begin_parts();
  Task<Result<WriteResult>> replace(const Expected& expected);
  Task<Result<Change>> put(const Condition& condition, Deadline deadline);
  Task<Result<WriteResult>> append_in_parts(const Expected& expected);
  Task<Result<Change>> complete_behind(const std::optional<Found>& old, const Capabilities& can);
  Task<Result<std::vector<Part>>> parts_behind(const std::optional<Found>& old,
                                               const Capabilities& can);
  Task<Status> put_in_front(const std::string& bytes);
  static WriteResult result_of(const std::string& etag, std::optional<std::uint64_t> before,
                               std::uint64_t size);

  const UploadShop& shop_;
  FileKey key_;
  WriteMode mode_;
  std::uint64_t size_ = 0;
  ByteBudget::Share memory_;
  std::string buffer_;          // the whole of a small body; else the part that is being filled
  std::string first_;           // the first part's bytes, if something may have to go before them
  std::size_t front_size_ = 0;  // of what has been put there
  Multipart multipart_;
  std::vector<Part> parts_;  // of a large body, when all are there
  std::string name_;         // in the history
};

}  // namespace flowstore::files::s3

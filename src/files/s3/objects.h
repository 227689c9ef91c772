// Objects: what S3 can do with the objects of a bucket, one method per operation.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/task.h"
#include "files/preconditions.h"
#include "files/s3/client.h"
#include "files/s3/history.h"
#include "files/s3/xml.h"

namespace flowstore::files::s3 {

// What must be there when a change takes effect; how entity tags are written is the store's matter
// (Capabilities).
struct Condition {
  Condition() = default;  // whatever
  static Condition absent();
  static Condition match(std::string etag_as_the_store_wants_it);

  std::string header;  // empty: none
  std::string value;
};

// What the headers of an object say.
struct Found {
  Found() = default;
  explicit Found(const Answer& answer);

  FileStat stat;
  History history;
  // The entity tag is the MD5 of the bytes, as far as the object's own headers can tell.
  bool may_be_md5 = false;
};

// How a change under a condition ended.
struct Change {
  Change() = default;

  bool is_passed = false;  // the condition did not hold; nothing was changed
  std::string etag;        // of the object as it is now
};

struct PutOptions {
  PutOptions() = default;

  Condition condition;
  History history;
  Deadline deadline;
};

struct ListQuery {
  ListQuery() = default;

  std::string prefix;
  bool is_rolled_up = false;  // keys with a '/' behind the prefix are one common prefix each
  std::string start_after;
  std::string token;  // of the page before, instead
  std::size_t limit = 1000;
};

// A part of an object.
struct Range {
  Range() = default;
  Range(std::uint64_t from, std::uint64_t bytes) : offset(from), length(bytes) {}

  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Errors: what the client fails with; and what the store refuses, translated. Safe to use from any
// thread; views and references must outlive the returned task.
class Objects {
 public:
  // The client must outlive it.
  explicit Objects(Client& client) : client_(client) {}

  // Nothing: there is no such object.
  Task<Result<std::optional<Found>>> head(std::string_view key, Deadline deadline = Deadline());

  // The body is still to be pulled from the answer, which may also be is_missing() or is_passed().
  // Pulled at any pace, if no deadline is given.
  Task<Result<Answer>> get(std::string_view key, std::optional<Range> range, Condition condition,
                           Deadline deadline = Deadline());

  // With a condition it is done once at most, and may fail as outcome_unknown.
  Task<Result<Change>> put(std::string_view key, std::string_view body, const PutOptions& options);
  // The same with a body that cannot be had twice.
  Task<Result<Change>> put(std::string_view key, ByteSource& body, const PutOptions& options);

  Task<Result<Change>> remove(std::string_view key, Condition condition,
                              Deadline deadline = Deadline());
  // At most 1,000, whose keys fit_xml().
  Task<Result<RemovalReport>> remove_many(const std::vector<Listed>& objects);

  Task<Result<ObjectPage>> list(const ListQuery& query);

  // Multipart uploads. Number from 1 to 10,000; all parts but the last have 5 MiB or more.
  Task<Result<std::string>> begin_upload(std::string_view key, const History& history);
  Task<Result<Part>> upload_part(std::string_view key, const std::string& upload, int number,
                                 std::string_view body, Deadline deadline);
  // A piece of an object, as a part of an upload to the same key, if it still has the etag.
  Task<Result<Part>> copy_part(std::string_view key, const std::string& upload, int number,
                               Range range, const std::string& etag, Deadline deadline);
  Task<Result<Change>> complete_upload(std::string_view key, const std::string& upload,
                                       const std::vector<Part>& parts, Condition condition,
                                       Deadline deadline);
  Task<Status> abort_upload(std::string_view key, const std::string& upload);

  std::chrono::steady_clock::time_point deadline() const { return client_.deadline(); }

 private:
  Task<Result<Change>> change(const Call& call);
  Task<> find_etag(std::string_view key, Change& change);

  Client& client_;
};

}  // namespace flowstore::files::s3

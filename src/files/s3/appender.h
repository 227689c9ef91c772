// Appender: adding to the end of objects, which S3 cannot change.

#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "files/file_store.h"
#include "files/s3/changes.h"
#include "files/s3/multipart.h"
#include "files/s3/objects.h"

namespace flowstore::files::s3 {

// A small object is read and written again, a large one copied by the store itself into a multipart
// upload with the new end. Either takes effect only if the object is still what was read, or else
// is done again. What got no answer is looked for before it is repeated: see History. Safe to use
// from any thread. How it came to this: docs/decisions/0011-s3.md.
class Appender {
 public:
  // All must outlive it.
  Appender(Objects& objects, Changes& changes) : objects_(objects), changes_(changes) {}

  // Appends that expect nothing and meet at one key become one change of the object, without those
  // that have no room in it any more. What it may hold is the same for all of them.
  Task<Result<WriteResult>> append(const FileKey& key, std::string body, const Expected& expected);

 private:
  struct Waiting {
    explicit Waiting(std::string bytes) : body(std::move(bytes)) {}

    std::string body;
    std::optional<Result<WriteResult>> result;
  };
  using Batch = std::vector<std::shared_ptr<Waiting>>;

  // What is at the key before an append.
  struct Base {
    Base() = default;

    std::uint64_t size() const { return found ? found->stat.size : 0; }
    std::optional<FileStat> stat() const {
      return found ? std::optional<FileStat>(found->stat) : std::nullopt;
    }

    std::optional<Found> found;
    std::string bytes;      // of a small one
    bool is_large = false;  // too large for memory, large enough for a part
  };

  // One change on its way.
  struct Attempt {
    Attempt(std::string path, std::string_view bytes, const Right& held, http::Instant end)
        : key(std::move(path)), tail(bytes), right(held), until(end) {}

    std::string key;
    std::string_view tail;
    const Right& right;
    const http::Instant until;  // of all but what moves many bytes
    const std::string name = History::new_name();
    std::uint64_t size_before = 0;  // of the object when it was last looked at
  };

  Task<Result<WriteResult>> join(const FileKey& key, std::string body, const Expected& expected,
                                 http::Instant until);
  Task<> append_all(const FileKey& key, Batch batch, const Expected& expected, const Right& right,
                    http::Instant until);
  Batch take_batch(const std::string& key, const std::shared_ptr<Waiting>& own);
  static bool refuse_too_long(Batch& batch, const Expected& expected, std::uint64_t size);
  static void share_out(const Batch& batch, const Result<WriteResult>& written);

  Task<Result<WriteResult>> append_now(Attempt& attempt, const Expected& expected);
  Task<Result<Base>> look(const Attempt& attempt);
  Task<Result<Change>> write(const Attempt& attempt, Base& base);
  Task<Result<Change>> rewrite(const Attempt& attempt, const Base& base);
  Task<Result<Change>> copy_and_add(const Attempt& attempt, const Base& base);
  Task<Result<Change>> fill(Multipart& upload, const Attempt& attempt, const FileStat& old);

  Objects& objects_;
  Changes& changes_;
  // A store that wants all parts but the last to be of one size cannot copy an object into one.
  std::atomic<bool> refuses_uneven_parts_ = false;
  std::mutex mutex_;
  std::unordered_map<std::string, Batch> waiting_;  // by key; guarded by mutex_
};

}  // namespace flowstore::files::s3

// Readers: connections that only read, as many as are needed at the same time.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "context/context_store.h"
#include "context/sqlite/connection.h"
#include "context/sqlite/sqlite_store.h"

namespace flowstore::context::sqlite {

// The first part of a page.
struct PageStart {
  PageStart() = default;
  std::uint64_t count = 0;
  std::vector<std::int64_t> ids;  // of the whole page
  std::vector<Row> rows;          // of its first ids, as many as are not too large together
  std::size_t next_id = 0;        // where in ids the rest begins
};

// Safe to use from any thread. Every call blocks for the disk.
class Readers {
 public:
  // The references outlive the readers.
  Readers(const Options& options, const Clock& clock, Log& log);
  ~Readers();

  Result<std::optional<std::string>> values(const RowKey& key);

  // What `most` means is written in context_store.h.
  Result<PageStart> page(const std::string& project, std::int64_t after, std::int64_t most);

  // The rows of ids[next] and the following, until they are large together; moves `next` behind
  // them. Rows that are gone are left out, so that there may be none.
  Result<std::vector<Row>> rows(const std::string& project, const std::vector<std::int64_t>& ids,
                                std::size_t& next);

  // Projects behind `after`, sorted by bytes, as many as make a page.
  Result<std::vector<ProjectUse>> projects(const std::string& after);

  // What this means is written in context_store.h.
  Result<std::optional<std::chrono::system_clock::time_point>> last_change(
      const std::string& project);

  Status probe();

  // Waits for the calls that run and closes the connections. Later calls fail as unavailable.
  void stop();

 private:
  struct Reader;
  class Lease;

  // Runs `ask` on a connection that nobody else uses.
  Status with_reader(const std::function<Code(Reader& reader)>& ask);

  const Options& options_;
  OutageLog outage_;
  std::mutex mutex_;
  std::condition_variable none_leased_;
  std::vector<std::unique_ptr<Reader>> idle_;  // guarded by mutex_
  std::size_t leased_ = 0;                     // guarded by mutex_
  bool is_stopped_ = false;                    // guarded by mutex_
};

}  // namespace flowstore::context::sqlite

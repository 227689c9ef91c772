// What the tests of FileService share: a service over a store in memory, and words to ask it.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "files/file_service.h"
#include "files/local_ledger.h"
#include "support/bodies.h"
#include "support/manual_clock.h"
#include "support/run.h"
#include "support/watched_store.h"

namespace flowstore::files {

inline ProjectKey project_of(std::string_view id) { return *ProjectKey::parse("t", id); }

inline FileKey key_of(std::string_view path, std::string_view project = "p") {
  return *FileKey::parse(project_of(project), path);
}

inline WriteOptions with_quota(std::uint64_t quota, WriteMode mode = WriteMode::replace) {
  WriteOptions options;
  options.quota = quota;
  options.mode = mode;
  return options;
}

inline WriteOptions appending() {
  WriteOptions options;
  options.mode = WriteMode::append;
  return options;
}

inline WriteOptions only_if(std::string etag) {
  WriteOptions options;
  options.conditions.if_match.emplace();
  options.conditions.if_match->etags.push_back(std::move(etag));
  return options;
}

inline WriteOptions only_if_new() {
  WriteOptions options;
  options.conditions.if_none_match.emplace();
  options.conditions.if_none_match->is_any = true;
  return options;
}

class FileServiceTest : public testing::Test {
 protected:
  Result<WriteResult> write(std::string_view path, std::string bytes,
                            const WriteOptions& options = WriteOptions()) {
    StringSource body(std::move(bytes));
    return write(path, body, options);
  }
  Result<WriteResult> write(std::string_view path, ByteSource& body, const WriteOptions& options) {
    const FileKey key = key_of(path);
    return run(service_.write(key, body, options));
  }
  // As if a body of so many bytes had been written; its answer.
  std::string outcome(std::string_view path, std::size_t size, const WriteOptions& options) {
    const auto written = write(path, std::string(size, 'x'), options);
    return written ? "ok" : written.error().code();
  }
  std::string read(std::string_view path) {
    const FileKey key = key_of(path);
    const auto file = run(service_.read(key, Reading::all));
    return file ? bytes_of(file->content) : file.error().code();
  }
  Status remove(std::string_view path, const Preconditions& conditions = Preconditions()) {
    const FileKey key = key_of(path);
    return run(service_.remove(key, conditions));
  }
  std::uint64_t used(std::string_view project = "p") {
    const ProjectKey key = project_of(project);
    return *run(service_.used(key));
  }
  // What the files really hold.
  std::uint64_t stored(std::string_view project = "p") {
    const ProjectKey key = project_of(project);
    return *run(store_.usage(key));
  }
  bool has_metric(std::string_view line) {
    return registry_.text().find(std::string(line) + "\n") != std::string::npos;
  }

  ManualClock clock_;
  WatchedStore store_{clock_};
  metrics::Registry registry_;
  boost::asio::io_context background_;
  LocalLedger ledger_{store_, clock_, registry_, background_.get_executor()};
  FileService service_{store_, ledger_, clock_, registry_};
};

}  // namespace flowstore::files

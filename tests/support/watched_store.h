// A memory store whose walks over projects a test can count, hold and break.

#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "base/turns.h"
#include "files/memory/memory_store.h"
#include "support/run.h"

namespace flowstore::files {

// Safe to use from any thread.
class WatchedStore final : public FileStore {
 public:
  explicit WatchedStore(const Clock& clock) : store_(64 << 20, clock) {}

  int walks() const { return walks_; }
  // As long as it lives, walks have looked at the files and do not answer.
  [[nodiscard]] Turn hold_walks() { return run(walk_turns_.take("walk")); }
  void fail_walks(bool fails) { fails_walks_ = fails; }

  std::string_view name() const override { return store_.name(); }
  Task<Result<std::unique_ptr<Upload>>> receive(const FileKey& key, ByteSource& body,
                                                WriteMode mode) override {
    return store_.receive(key, body, mode);
  }
  Task<Result<FileStat>> stat(const FileKey& key) override { return store_.stat(key); }
  Task<Result<OpenFile>> open(const FileKey& key, Reading reading) override {
    return store_.open(key, reading);
  }
  Task<Result<std::uint64_t>> remove(const FileKey& key, Expected expected) override {
    return store_.remove(key, std::move(expected));
  }
  Task<Result<RemovedTree>> remove_tree(const FileKey& folder) override {
    return store_.remove_tree(folder);
  }
  Task<Result<Listing>> list(const FileKey& folder, const ListOptions& options) override {
    return store_.list(folder, options);
  }
  Task<Result<std::uint64_t>> usage(const ProjectKey& project) override {
    ++walks_;
    auto counted = co_await store_.usage(project);
    const Turn turn = co_await walk_turns_.take("walk");
    if (fails_walks_) co_return Error(ErrorKind::unavailable, "ESTORE", "broken");
    co_return counted;
  }
  Task<Result<std::vector<ProjectKey>>> projects(std::string_view team) override {
    return store_.projects(team);
  }
  Task<Result<std::vector<std::string>>> teams() override { return store_.teams(); }
  Task<Status> probe() override { return store_.probe(); }

 private:
  memory::Store store_;
  Turns walk_turns_;
  std::atomic<int> walks_ = 0;
  std::atomic<bool> fails_walks_ = false;
};

}  // namespace flowstore::files

// The contract of files::FileStore as tests. A driver joins with one file that says how to make it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, FileStoreConformance, testing::Values(memory_driver()),
//                            driver_name);

#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "files/file_store.h"

namespace flowstore::files {

// An empty store, with whatever it needs to live.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual FileStore& store() = 0;
};

// One driver, in one of its configurations.
struct Driver {
  std::string name;  // letters and digits
  std::function<std::unique_ptr<StoreUnderTest>()> make;
  // Tests of the suite that the driver does not pass, by name. They are skipped, and users read
  // about them in docs/storage.md. Empty is the goal.
  std::vector<std::string> deviations = {};
  // What is missing to test it here, and how to get it; empty: nothing.
  std::string lacks = {};
};

// What a test is called by, for INSTANTIATE_TEST_SUITE_P and messages.
std::string driver_name(const testing::TestParamInfo<Driver>& info);
void PrintTo(const Driver& driver, std::ostream* out);

// The key of a path in the project "p" of the team "t", or in another one.
FileKey key_of(std::string_view path, std::string_view project = "p", std::string_view team = "t");

// The suite's words. Each runs to its end on the calling thread; safe to use from several.
class FileStoreConformance : public testing::TestWithParam<Driver> {
 protected:
  void SetUp() override;

  FileStore& store() { return made_->store(); }

  Result<WriteResult> replace(const FileKey& key, ByteSource& body);
  Result<WriteResult> replace(const FileKey& key, std::string bytes);
  Result<WriteResult> replace(std::string_view path, std::string bytes);
  Result<WriteResult> append(const FileKey& key, ByteSource& body);
  Result<WriteResult> append(std::string_view path, std::string bytes);
  // As far as the file may hold so many bytes.
  Result<WriteResult> append_up_to(std::uint64_t most, std::string_view path, std::string bytes);

  // The bytes of the file.
  Result<std::string> read(std::string_view path);
  Result<FileStat> stat(std::string_view path);
  Result<std::uint64_t> remove(std::string_view path);
  Result<RemovedTree> remove_tree(std::string_view path);
  std::uint64_t usage(std::string_view project = "p", std::string_view team = "t");

  // The names in the folder, page by page; those of folders end with '/'. Empty if the folder
  // cannot be listed.
  std::vector<std::string> names(std::string_view folder, ListOptions options = ListOptions());

  // No trace of a file, whoever asks.
  void expect_nothing_stored();

 private:
  std::unique_ptr<StoreUnderTest> made_;
};

}  // namespace flowstore::files

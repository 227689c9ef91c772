// A folder of the disk for one test.

#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file_descriptor.h"
#include "files/localfs/temp_folder.h"

namespace flowstore::files::localfs {

// An empty folder that goes with everything in it. Paths are relative to it.
class TestRoot {
 public:
  explicit TestRoot(const std::string& in = testing::TempDir()) : path_(in + "/localfs-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr) << path_;
  }
  TestRoot(const TestRoot&) = delete;
  TestRoot& operator=(const TestRoot&) = delete;
  ~TestRoot() { std::filesystem::remove_all(path_); }

  const std::string& path() const noexcept { return path_; }
  std::string at(const std::string& path) const { return path_ + "/" + path; }
  FileDescriptor open() const {
    return FileDescriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  // Makes a file with its folders, as something other than flowstore does.
  void put(const std::string& path, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(at(path)).parent_path());
    std::ofstream(at(path), std::ios::binary) << bytes;
  }

  std::string get(const std::string& path) const {
    std::ifstream file(at(path), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  bool has(const std::string& path) const { return std::filesystem::exists(at(path)); }

  // Names of all files in the folder and below it that are no folders; locks are left out.
  std::vector<std::string> files_below(const std::string& path) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(at(path))) {
      const std::string name = entry.path().filename();
      if (!entry.is_directory() && name != "lock") names.push_back(name);
    }
    return names;
  }

  // Bodies that have been taken in and not committed.
  std::size_t temporary_files() const {
    const std::vector<std::string> names = files_below(".flowstore/tmp");
    return static_cast<std::size_t>(std::count_if(
        names.begin(), names.end(), [](const std::string& name) { return !is_record_name(name); }));
  }

 private:
  std::string path_;
};

}  // namespace flowstore::files::localfs

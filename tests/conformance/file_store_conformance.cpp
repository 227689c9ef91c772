#include "conformance/file_store_conformance.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "support/bodies.h"
#include "support/run.h"

namespace flowstore::files {
namespace {

Task<Result<WriteResult>> write(FileStore& store, const FileKey& key, ByteSource& body,
                                WriteMode mode, Expected expected = Expected()) {
  FLOWSTORE_CO_TRY(const auto upload, co_await store.receive(key, body, mode));
  co_return co_await upload->commit(std::move(expected));
}

Task<Result<std::string>> read_file(FileStore& store, const FileKey& key) {
  FLOWSTORE_CO_TRY(const auto file, co_await store.open(key, Reading::all));
  co_return co_await pull_all(file.content);
}

}  // namespace

std::string driver_name(const testing::TestParamInfo<Driver>& info) { return info.param.name; }

void PrintTo(const Driver& driver, std::ostream* out) { *out << driver.name; }

FileKey key_of(std::string_view path, std::string_view project, std::string_view team) {
  return *FileKey::parse(*ProjectKey::parse(team, project), path);
}

void FileStoreConformance::SetUp() {
  // "ListsInPages/0" is the full name.
  std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
  test.resize(std::min(test.find('/'), test.size()));
  const auto& deviations = GetParam().deviations;
  if (std::find(deviations.begin(), deviations.end(), test) != deviations.end()) {
    GTEST_SKIP() << GetParam().name << " deviates: " << test;
  }
  if (!GetParam().lacks.empty()) GTEST_SKIP() << GetParam().name << " lacks " << GetParam().lacks;
  made_ = GetParam().make();
}

Result<WriteResult> FileStoreConformance::replace(const FileKey& key, ByteSource& body) {
  return run(write(store(), key, body, WriteMode::replace));
}

Result<WriteResult> FileStoreConformance::replace(const FileKey& key, std::string bytes) {
  StringSource body(std::move(bytes));
  return replace(key, body);
}

Result<WriteResult> FileStoreConformance::replace(std::string_view path, std::string bytes) {
  return replace(key_of(path), std::move(bytes));
}

Result<WriteResult> FileStoreConformance::append(const FileKey& key, ByteSource& body) {
  return run(write(store(), key, body, WriteMode::append));
}

Result<WriteResult> FileStoreConformance::append(std::string_view path, std::string bytes) {
  StringSource body(std::move(bytes));
  return append(key_of(path), body);
}

Result<WriteResult> FileStoreConformance::append_up_to(std::uint64_t most, std::string_view path,
                                                       std::string bytes) {
  StringSource body(std::move(bytes));
  const FileKey key = key_of(path);
  Expected expected;
  expected.most = most;
  return run(write(store(), key, body, WriteMode::append, std::move(expected)));
}

Result<std::string> FileStoreConformance::read(std::string_view path) {
  const FileKey key = key_of(path);
  return run(read_file(store(), key));
}

Result<FileStat> FileStoreConformance::stat(std::string_view path) {
  const FileKey key = key_of(path);
  return run(store().stat(key));
}

Result<std::uint64_t> FileStoreConformance::remove(std::string_view path) {
  const FileKey key = key_of(path);
  return run(store().remove(key, Expected()));
}

Result<RemovedTree> FileStoreConformance::remove_tree(std::string_view path) {
  const FileKey key = key_of(path);
  return run(store().remove_tree(key));
}

std::uint64_t FileStoreConformance::usage(std::string_view project, std::string_view team) {
  const auto key = *ProjectKey::parse(team, project);
  const auto used = run(store().usage(key));
  EXPECT_TRUE(used);
  return used ? *used : UINT64_MAX;
}

std::vector<std::string> FileStoreConformance::names(std::string_view folder, ListOptions options) {
  const FileKey key = key_of(folder);
  std::vector<std::string> names;
  while (true) {
    auto page = run(store().list(key, options));
    if (!page) return {};
    EXPECT_LE(page->entries.size(), options.limit);
    for (const Entry& entry : page->entries)
      names.push_back(entry.name + (entry.is_folder ? "/" : ""));
    if (!page->next_cursor) return names;
    // A page that has a next one is full, so that paging comes to an end.
    if (page->entries.size() != options.limit) return {};
    options.cursor = *page->next_cursor;
  }
}

void FileStoreConformance::expect_nothing_stored() {
  EXPECT_EQ(usage(), 0U);
  ListOptions all;
  all.is_recursive = true;
  EXPECT_EQ(names("", all), std::vector<std::string>());
}

}  // namespace flowstore::files

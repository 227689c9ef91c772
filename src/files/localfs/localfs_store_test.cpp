#include "files/localfs/localfs_store.h"

#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "files/localfs/file_size_limit.h"
#include "files/localfs/test_root.h"
#include "support/bodies.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace flowstore::files::localfs {
namespace {

FileKey key_of(std::string_view path, std::string_view team = "t") {
  return *FileKey::parse(*ProjectKey::parse(team, "p"), path);
}

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "ok" : result.error().message();
}

class LocalfsStore : public testing::TestWithParam<Resolution> {
 protected:
  void SetUp() override {
    Options options;
    options.root = root_.path();
    options.durability = Durability::relaxed;
    options.resolution = GetParam();
    auto made = Store::make(options, io_, clock_, log_, registry_);
    ASSERT_TRUE(made) << made.error().message();
    store_ = *std::move(made);
  }

  Result<std::unique_ptr<Upload>> receive(std::string_view path, ByteSource& body,
                                          WriteMode mode = WriteMode::replace) {
    const FileKey key = key_of(path);
    return run(store_->receive(key, body, mode));
  }
  Result<std::unique_ptr<Upload>> receive(std::string_view path, std::string bytes,
                                          WriteMode mode = WriteMode::replace) {
    StringSource body(std::move(bytes));
    return receive(path, body, mode);
  }
  Result<WriteResult> replace(std::string_view path, std::string bytes) {
    FLOWSTORE_TRY(const auto upload, receive(path, std::move(bytes)));
    return run(upload->commit(Expected()));
  }
  Result<WriteResult> append(std::string_view path, std::string bytes) {
    FLOWSTORE_TRY(const auto upload, receive(path, std::move(bytes), WriteMode::append));
    return run(upload->commit(Expected()));
  }
  Result<std::string> read(std::string_view path) {
    const FileKey key = key_of(path);
    FLOWSTORE_TRY(const auto file, run(store_->open(key, Reading::all)));
    return bytes_of(file.content);
  }
  std::string message_of_stat(std::string_view path) {
    const FileKey key = key_of(path);
    return message_of(run(store_->stat(key)));
  }

  TestRoot root_;
  BlockingPool io_{2};
  ManualClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Both, LocalfsStore,
                         testing::Values(Resolution::automatic, Resolution::componentwise),
                         [](const auto& resolution) {
                           const bool is_automatic = resolution.param == Resolution::automatic;
                           return is_automatic ? "Automatic" : "Componentwise";
                         });

TEST_P(LocalfsStore, LaysFilesOutAsTheOldServerDoes) {
  ASSERT_TRUE(replace("dir/sub/a.txt", "hello"));
  EXPECT_EQ(root_.get("t/p/dir/sub/a.txt"), "hello");
}

TEST_P(LocalfsStore, ReadsWhatTheOldServerLeft) {
  root_.put("t/p/dir/old.txt", "old data");
  std::filesystem::create_directories(root_.at("t/p/empty"));
  std::filesystem::last_write_time(root_.at("t/p/dir/old.txt"), {});
  EXPECT_EQ(*read("dir/old.txt"), "old data");
  const auto appended = append("dir/old.txt", " and new");
  ASSERT_TRUE(appended);
  EXPECT_EQ(appended->replaced_bytes, 8U);
  EXPECT_EQ(root_.get("t/p/dir/old.txt"), "old data and new");
  const FileKey empty = key_of("empty");
  const ListOptions options;
  EXPECT_TRUE(run(store_->list(empty, options))->entries.empty());
}

TEST_P(LocalfsStore, ItsOwnFolderIsNoTeam) {
  const FileKey key = key_of("a", ".flowstore");
  StringSource body("x");
  const ListOptions options;
  EXPECT_EQ(message_of(run(store_->receive(key, body, WriteMode::replace))), "Invalid Path");
  EXPECT_EQ(message_of(run(store_->stat(key))), "Invalid Path");
  EXPECT_EQ(message_of(run(store_->open(key, Reading::all))), "Invalid Path");
  EXPECT_EQ(message_of(run(store_->remove(key, Expected()))), "Invalid Path");
  EXPECT_EQ(message_of(run(store_->remove_tree(key))), "Invalid Path");
  EXPECT_EQ(message_of(run(store_->list(key, options))), "Invalid Path");
  EXPECT_EQ(message_of(run(store_->usage(key.project()))), "Invalid Path");
  EXPECT_EQ(message_of(run(store_->projects(".flowstore"))), "Invalid Path");
}

TEST_P(LocalfsStore, ATeamIsOneFolderBelowTheRoot) {
  for (const char* team : {"", ".", "..", "../..", "t/p", "/"}) {
    EXPECT_EQ(message_of(run(store_->projects(team))), "Invalid Path") << team;
  }
}

TEST_P(LocalfsStore, NothingIsStoredUnderNamesThatNoFolderCanHave) {
  const std::string name(300, 'n');
  const auto used = run(store_->usage(*ProjectKey::parse(name, "p")));
  ASSERT_TRUE(used) << used.error().message();
  EXPECT_EQ(*used, 0U);
  const auto projects = run(store_->projects(name));
  ASSERT_TRUE(projects) << projects.error().message();
  EXPECT_TRUE(projects->empty());
}

TEST_P(LocalfsStore, LinksLeadNowhereAndSayNothing) {
  const TestRoot outside;
  outside.put("secret", "secret");
  root_.put("t/p/a", "12345");
  ASSERT_EQ(::symlink(outside.path().c_str(), root_.at("t/p/dir").c_str()), 0);
  ASSERT_EQ(::symlink(outside.at("secret").c_str(), root_.at("t/p/file").c_str()), 0);
  ASSERT_EQ(::symlink("nothing", root_.at("t/p/dangling").c_str()), 0);
  for (const char* path : {"dir/secret", "file", "dangling"}) {
    EXPECT_EQ(message_of(read(path)), "Invalid Path") << path;
    EXPECT_EQ(message_of_stat(path), "Invalid Path") << path;
    EXPECT_EQ(message_of(replace(path, "x")), "Invalid Path") << path;
    EXPECT_EQ(message_of(append(path, "x")), "Invalid Path") << path;
  }
  EXPECT_EQ(outside.get("secret"), "secret");
  const FileKey project = key_of("");
  const ListOptions options;
  const auto page = run(store_->list(project, options));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(page->entries[0].name, "a");
  EXPECT_EQ(*run(store_->usage(project.project())), 5U);
}

TEST_P(LocalfsStore, OpensOnlyFiles) {
  std::filesystem::create_directories(root_.at("t/p"));
  ASSERT_EQ(::mkfifo(root_.at("t/p/fifo").c_str(), 0600), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string place = root_.at("t/p/socket");
  ASSERT_LT(place.size(), sizeof(address.sun_path));
  place.copy(address.sun_path, place.size());
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  const void* const untyped = &address;
  ASSERT_EQ(::bind(socket.get(), static_cast<const sockaddr*>(untyped), sizeof(address)), 0);
  for (const char* path : {"fifo", "socket"}) {
    EXPECT_EQ(message_of(read(path)), "Invalid Path") << path;
    EXPECT_EQ(message_of_stat(path), "Invalid Path") << path;
    EXPECT_EQ(message_of(replace(path, "x")), "Invalid Path") << path;
    EXPECT_EQ(message_of(append(path, "x")), "Invalid Path") << path;
  }
}

TEST_P(LocalfsStore, APathThatCanOnlyBeAFolderIsNoFile) {
  EXPECT_EQ(message_of(replace("new/", "x")),
            "EISDIR: illegal operation on a directory, open 'new/'");
  EXPECT_EQ(message_of(append("", "x")), "EISDIR: illegal operation on a directory, open ''");
  EXPECT_FALSE(root_.has("t"));
}

TEST_P(LocalfsStore, SmallBodiesWaitInMemoryAndLargeOnesOnDisk) {
  const auto small = receive("small", std::string(128 * 1024, 's'));
  ASSERT_TRUE(small);
  EXPECT_EQ(root_.temporary_files(), 0U);
  auto large = receive("large", std::string(128 * 1024 + 1, 'l'));
  ASSERT_TRUE(large);
  EXPECT_EQ(root_.temporary_files(), 1U);
  *large = nullptr;
  EXPECT_EQ(root_.temporary_files(), 0U);
  EXPECT_FALSE(root_.has("t"));
}

TEST_P(LocalfsStore, ALargeBodyThatBreaksOffLeavesNothing) {
  PiecesSource body({std::string(300'000, 'x'), std::string(300'000, 'y')});
  body.break_off(client_went_away());
  EXPECT_FALSE(receive("a", body));
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(LocalfsStore, ALargeAppendLeavesNoTemporaryFile) {
  ASSERT_TRUE(append("a", std::string(300'000, 'x')));
  ASSERT_TRUE(append("a", std::string(300'000, 'y')));
  EXPECT_EQ(root_.get("t/p/a"), std::string(300'000, 'x') + std::string(300'000, 'y'));
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(LocalfsStore, RefusesEarlyWhatTheDiskCannotHold) {
  PiecesSource body(std::vector<std::string>(100, std::string(100'000, 'x')));
  body.announce(std::uint64_t{1} << 60U);
  const auto upload = receive("a", body);
  ASSERT_FALSE(upload);
  EXPECT_EQ(upload.error().kind(), ErrorKind::no_space);
  EXPECT_LT(body.pulled(), 10U);
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(LocalfsStore, AFullDiskKeepsTheOldFile) {
  ASSERT_TRUE(replace("a", std::string(1000, 'o')));
  ASSERT_TRUE(replace("log", std::string(1000, 'o')));
  std::vector<Result<WriteResult>> results;
  {
    const FileSizeLimit limit(5000);
    results.push_back(replace("a", std::string(10'000, 'n')));
    results.push_back(append("log", std::string(10'000, 'n')));
    results.push_back(replace("new", std::string(300'000, 'n')));
    results.push_back(append("new", std::string(10'000, 'n')));
  }
  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), ErrorKind::no_space);
    EXPECT_EQ(result.error().message(), "ENOSPC: no space left on device, write");
  }
  EXPECT_EQ(root_.get("t/p/a"), std::string(1000, 'o'));
  EXPECT_EQ(root_.get("t/p/log"), std::string(1000, 'o'));
  EXPECT_FALSE(root_.has("t/p/new"));
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(LocalfsStore, ALargeAppendThatDoesNotFitAddsNothing) {
  ASSERT_TRUE(replace("log", std::string(1000, 'o')));
  Result<WriteResult> result = WriteResult();
  {
    // Its temporary file fits, and most of what is copied from there.
    const FileSizeLimit limit(300'000);
    result = append("log", std::string(299'500, 'n'));
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::no_space);
  EXPECT_EQ(root_.get("t/p/log"), std::string(1000, 'o'));
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(LocalfsStore, IsNotReadyOnAFullDisk) {
  Status status;
  {
    const FileSizeLimit limit(0);
    status = run(store_->probe());
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::no_space);
  EXPECT_TRUE(run(store_->probe()));
  EXPECT_EQ(root_.temporary_files(), 0U);
}

TEST_P(LocalfsStore, CursorsSurviveATextFormatWhateverTheNames) {
  const std::vector<std::string> names = {"%41",  "A",       "a b", "gr\xC3\xBC\xC3\x9F",
                                          "\xFF", "\xFF\xFF"};
  for (const std::string& name : names) root_.put("t/p/" + name, "");
  const FileKey project = key_of("");
  std::vector<std::string> seen;
  ListOptions options;
  options.limit = 1;
  for (std::size_t page = 0; page < names.size(); ++page) {
    const auto listing = run(store_->list(project, options));
    ASSERT_TRUE(listing);
    ASSERT_EQ(listing->entries.size(), 1U);
    seen.push_back(listing->entries[0].name);
    options.cursor = listing->next_cursor.value_or("");
    for (const char c : options.cursor) EXPECT_TRUE(c >= 0x20 && c < 0x7F);
  }
  EXPECT_EQ(seen, names);
  EXPECT_EQ(options.cursor, "");
}

// What was just written is in memory, unless this kernel or container cannot tell.
TEST_P(LocalfsStore, OpensAtOnceWhatIsInMemory) {
  ASSERT_TRUE(replace("dir/a", "hello"));
  const FileKey key = key_of("dir/a");
  const auto opened = store_->open_cached(key);
  if (GetParam() == Resolution::componentwise) {
    EXPECT_FALSE(opened);
    return;
  }
  if (!opened) GTEST_SKIP() << "no openat2 with RESOLVE_CACHED";
  ASSERT_TRUE(*opened);
  EXPECT_EQ(bytes_of((**opened).content), "hello");
  EXPECT_EQ((**opened).stat.etag, run(store_->stat(key))->etag);
  const auto folder = store_->open_cached(key_of("dir"));
  ASSERT_TRUE(folder);
  EXPECT_EQ(message_of(*folder), message_of(run(store_->open(key_of("dir"), Reading::all))));
}

TEST(LocalfsStoreStart, MakesItsRoot) {
  const TestRoot root;
  BlockingPool io(1);
  const ManualClock clock;
  Log log(LogLevel::silent, LogFormat::json, clock);
  metrics::Registry registry;
  Options options;
  options.root = root.at("new/deep");
  ASSERT_TRUE(Store::make(options, io, clock, log, registry));
  EXPECT_TRUE(root.has("new/deep/.flowstore/tmp"));
}

TEST(LocalfsStoreStart, SaysInOneSentenceWhatIsWrongWithTheRoot) {
  const TestRoot root;
  root.put("file", "");
  BlockingPool io(1);
  const ManualClock clock;
  Log log(LogLevel::silent, LogFormat::json, clock);
  metrics::Registry registry;
  Options options;
  options.root = root.at("file");
  const auto made = Store::make(options, io, clock, log, registry);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message(),
            "driver.options.root " + options.root +
                ": Not a directory; make the folder, or let the user that runs flowstore write "
                "there");
}

}  // namespace
}  // namespace flowstore::files::localfs

// What the conformance suite does not ask of other drivers, on a real engine.

#include "files/s3/s3_store.h"

#include <atomic>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/bodies.h"
#include "support/run.h"
#include "support/s3_bucket.h"

namespace flowstore::files::s3 {
namespace {

FileKey key_of(std::string_view path) {
  return *FileKey::parse(*ProjectKey::parse("t", "p"), path);
}

// Differs from place to place, so that a part in the wrong one is seen.
std::string body_of(std::size_t size, char seed = 'a') {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    body[i] = static_cast<char>(seed + static_cast<char>((i * 31 + i / 4096) % 23));
  }
  return body;
}

Task<Result<WriteResult>> write(FileStore& store, FileKey key, ByteSource& body, WriteMode mode,
                                Expected expected) {
  FLOWSTORE_CO_TRY(const auto upload, co_await store.receive(key, body, mode));
  co_return co_await upload->commit(std::move(expected));
}

Task<Result<std::string>> read_file(FileStore& store, FileKey key, Reading reading) {
  FLOWSTORE_CO_TRY(const auto file, co_await store.open(key, reading));
  co_return co_await pull_all(file.content);
}

Task<Result<std::string>> read_part(FileStore& store, FileKey key, std::uint64_t offset,
                                    std::uint64_t length) {
  FLOWSTORE_CO_TRY(auto file, co_await store.open(key, Reading::parts));
  const Content part = std::move(file.content).slice(offset, length);
  co_return co_await pull_all(part);
}

class S3Store : public testing::Test {
 protected:
  void SetUp() override {
    if (engine_url() == nullptr) GTEST_SKIP() << "set FLOWSTORE_S3, see tests/s3/README.md";
    bucket_ = std::make_unique<Bucket>();
    store_ = bucket_->store();
  }

  Result<WriteResult> put(FileStore& store, std::string_view path, std::string bytes,
                          WriteMode mode, Expected expected = Expected()) {
    StringSource body(std::move(bytes));
    return run(write(store, key_of(path), body, mode, std::move(expected)));
  }
  Result<WriteResult> replace(std::string_view path, std::string bytes,
                              Expected expected = Expected()) {
    return put(*store_, path, std::move(bytes), WriteMode::replace, std::move(expected));
  }
  Result<WriteResult> append(std::string_view path, std::string bytes,
                             Expected expected = Expected()) {
    return put(*store_, path, std::move(bytes), WriteMode::append, std::move(expected));
  }
  std::string read(std::string_view path) {
    auto bytes = run(read_file(*store_, key_of(path), Reading::all));
    return bytes ? *std::move(bytes) : bytes.error().message();
  }

  // Uploads that were begun and neither completed nor aborted.
  std::size_t open_uploads() { return run(count_uploads()); }
  Task<std::size_t> count_uploads() {
    Client client = bucket_->client();
    Call call("GET", "");
    call.query.emplace_back("uploads", "");
    auto answer = co_await client.call(call);
    const auto text = co_await read_text(*answer);
    std::size_t count = 0;
    for (std::size_t at = text->find("<UploadId>"); at != std::string::npos;
         at = text->find("<UploadId>", at + 1)) {
      ++count;
    }
    co_return count;
  }

  std::unique_ptr<Bucket> bucket_;
  std::unique_ptr<Store> store_;
};

TEST_F(S3Store, FindsOutWhatTheEngineCanDo) {
  Client client = bucket_->client();
  Objects objects(client);
  CapabilityProbe probe(objects, bucket_->log, bucket_->registry);
  const auto can = run(probe.get());
  ASSERT_TRUE(can);
  // Of Ceph 16; see docs/decisions/0011-s3.md.
  EXPECT_TRUE(can->has_if_none_match);
  EXPECT_EQ(can->if_match, Capabilities::IfMatch::unquoted);
  EXPECT_FALSE(can->has_conditional_complete);
  EXPECT_FALSE(can->has_conditional_remove);
  EXPECT_TRUE(can->has_md5_etags);
  const std::string metrics = bucket_->registry.text();
  EXPECT_NE(metrics.find("flowstore_s3_capability{name=\"if_match\"} 1"), std::string::npos);
  EXPECT_NE(metrics.find("flowstore_s3_capability{name=\"conditional_delete\"} 0"),
            std::string::npos);
  EXPECT_EQ(open_uploads(), 0U);
}

TEST_F(S3Store, StoresLargeBodiesInParts) {
  for (const std::size_t size : {kPartBytes, kPartBytes + 1, 3 * kPartBytes, 3 * kPartBytes + 7}) {
    const std::string body = body_of(size);
    const auto written = replace("large", body);
    ASSERT_TRUE(written) << size;
    EXPECT_EQ(written->stat.size, size);
    EXPECT_TRUE(read("large") == body) << size;
  }
  EXPECT_EQ(open_uploads(), 0U);
}

TEST_F(S3Store, TakesLargeBodiesOfUnknownLength) {
  std::vector<std::string> pieces;
  for (char seed = 'a'; seed < 'l'; ++seed) pieces.push_back(body_of(1'000'000, seed));
  std::string whole;
  for (const std::string& piece : pieces) whole += piece;
  PiecesSource body(pieces);
  ASSERT_TRUE(run(write(*store_, key_of("large"), body, WriteMode::replace, Expected())));
  EXPECT_TRUE(read("large") == whole);
}

TEST_F(S3Store, ALargeBodyThatBreaksOffLeavesNothingToBePaidFor) {
  ASSERT_TRUE(replace("large", "old"));
  PiecesSource body({body_of(3 * kPartBytes)});
  body.break_off(client_went_away());
  EXPECT_FALSE(run(write(*store_, key_of("large"), body, WriteMode::replace, Expected())));
  EXPECT_EQ(open_uploads(), 0U);
  EXPECT_EQ(read("large"), "old");
}

TEST_F(S3Store, AddsToFilesOfAnySize) {
  // Small and large ends, behind nothing, small and large files.
  for (const std::size_t before :
       {std::size_t{0}, std::size_t{10}, kPartBytes - 1, kPartBytes, 2 * kPartBytes + 3}) {
    for (const std::size_t added : {std::size_t{1}, kPartBytes + 5, 2 * kPartBytes + 9}) {
      const std::string first = body_of(before, 'A');
      const std::string second = body_of(added, 'a');
      if (before > 0) {
        ASSERT_TRUE(replace("file", first));
      }
      const auto written = append("file", second);
      ASSERT_TRUE(written) << before << " + " << added << " " << written.error().message();
      EXPECT_EQ(written->stat.size, before + added);
      EXPECT_EQ(written->replaced_bytes, before);
      EXPECT_TRUE(read("file") == first + second) << before << " + " << added;
      ASSERT_TRUE(run(store_->remove(key_of("file"), Expected())));
    }
  }
  EXPECT_EQ(open_uploads(), 0U);
}

TEST_F(S3Store, ReadsPartsOfFiles) {
  const std::string body = body_of(200'000);
  ASSERT_TRUE(replace("a", body));
  EXPECT_TRUE(*run(read_part(*store_, key_of("a"), 0, 200'000)) == body);
  EXPECT_TRUE(*run(read_part(*store_, key_of("a"), 199'990, 10)) == body.substr(199'990));
  EXPECT_TRUE(*run(read_part(*store_, key_of("a"), 5, 100'000)) == body.substr(5, 100'000));
  ASSERT_TRUE(replace("empty", ""));
  EXPECT_EQ(*run(read_file(*store_, key_of("empty"), Reading::parts)), "");
}

TEST_F(S3Store, AFileThatIsReplacedBeforeItIsPulledIsNotMixedUp) {
  ASSERT_TRUE(replace("a", body_of(100'000)));
  const FileKey key = key_of("a");
  auto open_then_replace = [&]() -> Task<std::string> {
    const auto file = co_await store_->open(key, Reading::parts);
    StringSource other(body_of(100'000, 'b'));
    EXPECT_TRUE(co_await write(*store_, key, other, WriteMode::replace, Expected()));
    co_return co_await pull_all(file->content);
  };
  EXPECT_EQ(run(open_then_replace()), "");
}

TEST_F(S3Store, ChangesOnlyWhatWasExpected) {
  const auto first = replace("a", "1");
  ASSERT_TRUE(first);
  const Expected this_one(run(store_->stat(key_of("a"))).operator*());
  const Expected no_file((std::optional<FileStat>()));
  ASSERT_TRUE(replace("a", "22"));
  const auto is_conflict = [](const auto& result) {
    return !result && result.error().kind() == ErrorKind::conflict;
  };
  EXPECT_TRUE(is_conflict(replace("a", "x", this_one)));
  EXPECT_TRUE(is_conflict(replace("a", "x", no_file)));
  EXPECT_TRUE(is_conflict(append("a", "x", this_one)));
  EXPECT_TRUE(is_conflict(append("a", "x", no_file)));
  EXPECT_TRUE(is_conflict(replace("a", body_of(kPartBytes + 1), this_one)));
  EXPECT_TRUE(is_conflict(run(store_->remove(key_of("a"), this_one))));
  EXPECT_EQ(read("a"), "22");
  const Expected now(run(store_->stat(key_of("a"))).operator*());
  const auto replaced = replace("a", "333", now);
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->replaced_bytes, 2U);
  EXPECT_TRUE(append("new", "x", no_file));
}

TEST_F(S3Store, ListsAThousandFilesAndMore) {
  constexpr int kFiles = 1100;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = thread; i < kFiles; i += 4) {
        EXPECT_TRUE(replace("dir/" + std::to_string(i), "12"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*run(store_->usage(*ProjectKey::parse("t", "p"))), 2U * kFiles);
  const ListOptions page;
  const FileKey folder = key_of("dir");
  const auto first = run(store_->list(folder, page));
  ASSERT_TRUE(first && first->next_cursor);
  EXPECT_EQ(first->entries.size(), 1000U);
  ListOptions next;
  next.cursor = *first->next_cursor;
  EXPECT_EQ(run(store_->list(folder, next))->entries.size(), 100U);
  const auto removed = run(store_->remove_tree(folder));
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->files, 1U * kFiles);
  EXPECT_EQ(*run(store_->usage(*ProjectKey::parse("t", "p"))), 0U);
}

TEST_F(S3Store, PagesGoOnBehindAFolder) {
  for (const char* path : {"a/x", "a/y", "a.b", "a0", "b/c"}) {
    ASSERT_TRUE(replace(path, "1"));
  }
  ListOptions page;
  page.limit = 1;
  std::vector<std::string> names;
  for (int pages = 0; pages < 10; ++pages) {
    const FileKey folder = key_of("");
    const auto listing = run(store_->list(folder, page));
    ASSERT_TRUE(listing);
    for (const Entry& entry : listing->entries) names.push_back(entry.name);
    if (!listing->next_cursor) break;
    page.cursor = *listing->next_cursor;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a.b", "a", "a0", "b"}));
}

// Two stores know nothing of each other, as two processes do.
TEST_F(S3Store, TwoProcessesAppendAndLoseNothing) {
  const auto other = bucket_->store();
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < 6; ++id) {
    threads.emplace_back([&, id] {
      Store& store = id % 2 == 0 ? *store_ : *other;
      for (int i = 0; i < 15; ++i) {
        const std::string line = std::to_string(id) + "-" + std::to_string(i) + "\n";
        while (!put(store, "log", line, WriteMode::append)) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(read("log"));
  std::multiset<std::string> found;
  for (std::string line; std::getline(lines, line);) found.insert(line);
  EXPECT_EQ(found.size(), 90U);
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), 90U);
}

TEST_F(S3Store, AppendsThatMeetBecomeOne) {
  ASSERT_TRUE(append("log", "begin\n"));
  std::vector<std::thread> threads;
  for (int id = 0; id < 20; ++id) {
    threads.emplace_back([&] { EXPECT_TRUE(append("log", "0123456789")); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(read("log").size(), 206U);
}

TEST_F(S3Store, OfAppendsThatMeetThoseAreMadeThatHaveRoom) {
  ASSERT_TRUE(append("log", "begin\n"));
  Expected room_for_five;
  room_for_five.most = 56;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < 20; ++id) {
    threads.emplace_back([&] {
      const auto written = append("log", "0123456789", room_for_five);
      if (!written && written.error().kind() == ErrorKind::too_large) ++refused;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 15);
  EXPECT_EQ(read("log").size(), 56U);
}

TEST_F(S3Store, KeysAreThoseOfTheOldServer) {
  ASSERT_TRUE(replace("dir//../a b+c", "1"));
  Client client = bucket_->client();
  Objects objects(client);
  const auto found = run(objects.head("t/p/a b+c"));
  ASSERT_TRUE(found);
  EXPECT_TRUE(*found);
}

TEST_F(S3Store, AMissingBucketIsNoMissingFile) {
  Options options = bucket_->options();
  options.bucket = "no-such-bucket";
  const auto store = bucket_->store(options);
  const auto stat = run(store->open(key_of("a"), Reading::all));
  ASSERT_FALSE(stat);
  EXPECT_EQ(stat.error().kind(), ErrorKind::internal);
  EXPECT_EQ(stat.error().code(), "NoSuchBucket");
  EXPECT_FALSE(put(*store, "a", "x", WriteMode::append));
  EXPECT_FALSE(run(store->probe()));
}

TEST_F(S3Store, AWrongSecretIsSaidWithoutIt) {
  aws::Credentials wrong = engine_credentials();
  wrong.secret_access_key = Secret("wrong-secret");
  bucket_->credentials = aws::fixed_credentials(wrong);
  const auto store = bucket_->store();
  const auto written = put(*store, "a", "x", WriteMode::replace);
  bucket_->credentials = aws::fixed_credentials(engine_credentials());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), "SignatureDoesNotMatch");
  EXPECT_EQ(written.error().message().find("wrong-secret"), std::string::npos);
}

}  // namespace
}  // namespace flowstore::files::s3

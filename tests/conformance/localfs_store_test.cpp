#include "files/localfs/localfs_store.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "conformance/file_store_conformance.h"
#include "support/file_log.h"

namespace flowstore::files {
namespace {

class LocalfsUnderTest final : public StoreUnderTest {
 public:
  explicit LocalfsUnderTest(localfs::Options options) {
    EXPECT_NE(::mkdtemp(root_.data()), nullptr) << root_;
    options.root = root_;
    auto made = localfs::Store::make(options, io_, clock_, log_, registry_);
    EXPECT_TRUE(made);
    store_ = *std::move(made);
    const bool is_logged = options.durability == localfs::Durability::strict && options.keeps_log;
    if (is_logged) wait_for_log(*store_, registry_);
  }
  ~LocalfsUnderTest() override {
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  FileStore& store() override { return *store_; }

 private:
  std::string root_ = testing::TempDir() + "/localfs-XXXXXX";
  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  BlockingPool io_{4};
  std::unique_ptr<localfs::Store> store_;
};

Driver localfs_driver(std::string name, localfs::Options options) {
  Driver driver;
  driver.name = std::move(name);
  driver.make = [options] { return std::make_unique<LocalfsUnderTest>(options); };
  return driver;
}

localfs::Options strict() { return localfs::Options(); }

localfs::Options without_log() {
  localfs::Options options;
  options.keeps_log = false;
  return options;
}

localfs::Options relaxed() {
  localfs::Options options;
  options.durability = localfs::Durability::relaxed;
  return options;
}

// The way of kernels and sandboxes without openat2.
localfs::Options componentwise() {
  localfs::Options options;
  options.resolution = localfs::Resolution::componentwise;
  return options;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Localfs, FileStoreConformance,
                         testing::Values(localfs_driver("Strict", strict()),
                                         localfs_driver("WithoutLog", without_log()),
                                         localfs_driver("Relaxed", relaxed()),
                                         localfs_driver("Componentwise", componentwise())),
                         driver_name);

}  // namespace flowstore::files

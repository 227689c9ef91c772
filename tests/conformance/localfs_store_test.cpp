#include "files/localfs/localfs_store.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "conformance/file_store_conformance.h"

namespace flowstore::files {
namespace {

class LocalfsUnderTest final : public StoreUnderTest {
 public:
  LocalfsUnderTest(localfs::Durability durability, localfs::Resolution resolution) {
    EXPECT_NE(::mkdtemp(root_.data()), nullptr) << root_;
    localfs::Options options;
    options.root = root_;
    options.durability = durability;
    options.resolution = resolution;
    auto made = localfs::Store::make(options, io_, clock_, log_, registry_);
    EXPECT_TRUE(made);
    store_ = *std::move(made);
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

Driver localfs_driver(std::string name, localfs::Durability durability,
                      localfs::Resolution resolution = localfs::Resolution::automatic) {
  Driver driver;
  driver.name = std::move(name);
  driver.make = [durability, resolution] {
    return std::make_unique<LocalfsUnderTest>(durability, resolution);
  };
  return driver;
}

}  // namespace

// "Componentwise" is the way of kernels and sandboxes without openat2.
INSTANTIATE_TEST_SUITE_P(Localfs, FileStoreConformance,
                         testing::Values(localfs_driver("Strict", localfs::Durability::strict),
                                         localfs_driver("Relaxed", localfs::Durability::relaxed),
                                         localfs_driver("Componentwise",
                                                        localfs::Durability::strict,
                                                        localfs::Resolution::componentwise)),
                         driver_name);

}  // namespace flowstore::files

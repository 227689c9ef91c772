#include "files/memory/memory_store.h"

#include "base/clock.h"
#include "conformance/file_store_conformance.h"

namespace flowstore::files {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  FileStore& store() override { return store_; }

 private:
  SystemClock clock_;
  memory::Store store_{64 << 20, clock_};
};

Driver memory_driver() {
  Driver driver;
  driver.name = "Memory";
  driver.make = [] { return std::make_unique<MemoryUnderTest>(); };
  return driver;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Memory, FileStoreConformance, testing::Values(memory_driver()),
                         driver_name);

}  // namespace flowstore::files

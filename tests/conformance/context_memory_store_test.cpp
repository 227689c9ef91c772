#include "conformance/context_store_conformance.h"
#include "context/memory/memory_store.h"

namespace flowstore::context {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  ContextStore& store() override { return *store_; }
  void reopen() override { store_ = memory::make_store(); }

 private:
  std::unique_ptr<ContextStore> store_ = memory::make_store();
};

Driver memory_driver() {
  Driver driver;
  driver.name = "Memory";
  driver.make = [] { return std::make_unique<MemoryUnderTest>(); };
  driver.traits.survives_reopen = false;
  return driver;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Memory, ContextStoreConformance, testing::Values(memory_driver()),
                         driver_name);

}  // namespace flowstore::context

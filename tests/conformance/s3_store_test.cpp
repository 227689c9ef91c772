#include "files/s3/s3_store.h"

#include "conformance/file_store_conformance.h"
#include "support/s3_bucket.h"

namespace flowstore::files {
namespace {

class S3UnderTest final : public StoreUnderTest {
 public:
  FileStore& store() override { return *store_; }

 private:
  s3::Bucket bucket_;
  std::unique_ptr<s3::Store> store_ = bucket_.store();
};

Driver s3_driver() {
  Driver driver;
  driver.name = "S3";
  driver.make = [] { return std::make_unique<S3UnderTest>(); };
  // S3 has no folders: "a" and "a/b" may both be files, a folder is gone with its last file, and
  // its name sorts with the '/' at its end. Names are text, as long as keys may be, and an entity
  // tag is one of the content.
  driver.deviations = {"AFolderIsNotOverwritten",
                       "NothingIsWrittenBelowAFile",
                       "NamesHaveUpTo255Bytes",
                       "KeepsNamesThatAreNoText",
                       "ListsAFolderInByteOrder",
                       "AFolderStaysWhenItsLastFileIsGone",
                       "RemembersAProjectThatIsEmptyAgain",
                       "AThousandFastWritesOfOneSizeGiveAThousandEtags"};
  if (s3::engine_url() == nullptr)
    driver.lacks = "a store: set FLOWSTORE_S3, see tests/s3/README.md";
  return driver;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(S3, FileStoreConformance, testing::Values(s3_driver()), driver_name);

}  // namespace flowstore::files

#include "files/s3/changes.h"

namespace flowstore::files::s3 {
namespace {

bool needs_lock(const Capabilities& can) {
  return !can.has_conditional_put() || !can.has_conditional_remove || !can.has_conditional_complete;
}

}  // namespace

Task<Result<Right>> Changes::enter(const FileKey& key) {
  FLOWSTORE_CO_TRY(const Capabilities can, co_await probe_.get());
  Right right(co_await turns_.take(key.path()));
  right.can = can;
  if (locks_ != nullptr && needs_lock(can)) {
    FLOWSTORE_CO_TRY(right.lock, co_await locks_->take(key));
  }
  co_return right;
}

bool is_expected(const Expected& expected, const std::optional<Found>& found) {
  switch (expected.what) {
    case Expected::What::anything:
      return true;
    case Expected::What::no_file:
      return !found;
    case Expected::What::this_file:
      return found && found->stat.etag == expected.file.etag;
  }
  return false;
}

Error changed_meanwhile() {
  return {ErrorKind::conflict, "conflict", "The file is being changed by somebody else"};
}

Error too_contended() {
  return {ErrorKind::unavailable, "storage_busy",
          "Too many write to this file at the same time; try again in a moment"};
}

Task<Result<Condition>> condition_for(Objects& objects, const std::string& key,
                                      const Capabilities& can, const Expected& expected, Way way) {
  if (expected.what == Expected::What::anything) co_return Condition();
  std::optional<FileStat> file;
  if (expected.what == Expected::What::this_file) file = expected.file;
  const Condition condition = can.unchanged(file, way);
  if (!condition.header.empty()) co_return condition;
  FLOWSTORE_CO_TRY(const auto found, co_await objects.head(key, expected.until));
  if (!is_expected(expected, found)) co_return changed_meanwhile();
  co_return condition;
}

}  // namespace flowstore::files::s3

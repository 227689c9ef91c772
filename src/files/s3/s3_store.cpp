#include "files/s3/s3_store.h"

#include <algorithm>
#include <utility>

#include "files/file_errors.h"
#include "files/s3/listing.h"
#include "files/s3/object_source.h"
#include "json/unicode.h"

namespace flowstore::files::s3 {
namespace {

// Of S3: bytes of a key.
constexpr std::size_t kLongestKey = 1024;
// Bodies on their way in, all together: fifty large uploads.
constexpr std::uint64_t kUploadMemory = std::uint64_t{768} << 20U;
// A file of up to this size is read before it is answered: it is then known to be whole, and goes
// out in one piece with its head.
constexpr std::uint64_t kReadAtOnce = 64U << 10;

// Where the store is tried; no team.
constexpr std::string_view kOwnFolder = ".flowstore";

std::string prefix_of(const FileKey& folder) { return folder.path() + "/"; }

bool is_text(std::string_view name) {
  while (!name.empty()) {
    std::size_t bad = 0;
    const bool is_ascii = static_cast<unsigned char>(name.front()) < 0x80;
    const std::size_t length = is_ascii ? 1 : json::utf8_sequence(name, bad);
    if (length == 0) return false;
    name.remove_prefix(length);
  }
  return true;
}

// Of what S3 takes for a key.
Status check_name(const FileKey& key, std::string_view operation) {
  if (key.path().size() > kLongestKey) return name_too_long(key, operation);
  if (is_text(key.path())) return Status();
  return Error(ErrorKind::invalid, "EILSEQ",
               "EILSEQ: file names in this storage must be UTF-8, " + std::string(operation));
}

// What a file system says of a folder in place of a file.
Error folder_instead(const FileKey& key, std::string_view operation) {
  return operation == "open" ? is_a_directory("read") : is_a_directory(key, operation);
}

}  // namespace

Result<std::unique_ptr<Store>> Store::make(const Options& options, const Surroundings& with) {
  FLOWSTORE_TRY(Address address, address_of(options));
  return std::make_unique<Store>(std::move(address), options, with);
}

Store::Store(Address address, const Options& options, const Surroundings& with)
    : client_(std::move(address), options, with.connector, with.credentials, with.clock, with.log,
              with.registry),
      objects_(client_),
      probe_(objects_, with.log, with.registry),
      changes_(probe_, with.locks),
      appender_(objects_, changes_),
      memory_(kUploadMemory),
      shop_{objects_, changes_, appender_, memory_},
      locks_(with.locks),
      log_(with.log) {}

Task<Status> Store::look_at_store() {
  FLOWSTORE_CO_TRY(const Capabilities can, co_await probe_.get());
  if (can.has_conditional_put()) co_return Status();
  if (locks_ != nullptr) {
    log_.info(
        "The S3 store has no conditional writes: changes of one file take turns through "
        "PostgreSQL.");
    co_return Status();
  }
  log_.warn(
      "The S3 store has no conditional writes and there is no PostgreSQL to take turns "
      "through: let only one flowstore process write to this bucket, or appends at the same "
      "time can overwrite each other.");
  co_return Status();
}

Task<Result<std::unique_ptr<Upload>>> Store::receive(const FileKey& key, ByteSource& body,
                                                     WriteMode mode) {
  FLOWSTORE_CO_TRY_STATUS(check_name(key, "open"));
  // What the old server stored under longer names is read.
  if (key.has_long_name()) co_return name_too_long(key, "open");
  auto incoming = std::make_unique<Incoming>(shop_, key, mode);
  FLOWSTORE_CO_TRY_STATUS(co_await incoming->take_in(body));
  co_return std::unique_ptr<Upload>(std::move(incoming));
}

Task<Result<Found>> Store::look_up(const FileKey& key, std::string_view operation,
                                   Deadline deadline) {
  if (key.relative().empty()) co_return folder_instead(key, operation);
  FLOWSTORE_CO_TRY_STATUS(check_name(key, operation));
  FLOWSTORE_CO_TRY(auto found, co_await objects_.head(key.path(), deadline));
  if (!found) co_return co_await explain_missing(key, operation);
  co_return *std::move(found);
}

Task<Result<FileStat>> Store::stat(const FileKey& key) {
  FLOWSTORE_CO_TRY(const Found found, co_await look_up(key, "open"));
  co_return found.stat;
}

Task<Result<std::optional<FileStat>>> Store::find(const FileKey& key) {
  FLOWSTORE_CO_TRY_STATUS(check_name(key, "open"));
  std::optional<FileStat> stat;
  if (key.relative().empty()) co_return stat;
  FLOWSTORE_CO_TRY(const auto found, co_await objects_.head(key.path()));
  if (found) stat = found->stat;
  co_return stat;
}

Task<Result<OpenFile>> Store::open(const FileKey& key, Reading reading) {
  if (reading == Reading::all) co_return co_await open_now(key);
  FLOWSTORE_CO_TRY(Found found, co_await look_up(key, "open"));
  OpenFile file;
  file.stat = found.stat;
  file.content = Content(std::make_unique<ObjectSource>(objects_, key.path(), std::move(found),
                                                        probe_.known().has_md5_etags));
  co_return file;
}

Task<Result<OpenFile>> Store::open_now(const FileKey& key) {
  if (key.relative().empty()) co_return folder_instead(key, "open");
  FLOWSTORE_CO_TRY_STATUS(check_name(key, "open"));
  const Condition whatever;
  const auto until = objects_.deadline();
  FLOWSTORE_CO_TRY(auto answer, co_await objects_.get(key.path(), std::nullopt, whatever));
  if (!answer.is_good()) co_return co_await explain_missing(key, "open");
  Found found(answer);
  OpenFile file;
  file.stat = found.stat;
  auto source = std::make_unique<ObjectSource>(objects_, key.path(), std::move(found),
                                               probe_.known().has_md5_etags);
  source->begin_with(std::move(answer));
  if (file.stat.size > kReadAtOnce) {
    file.content = Content(std::move(source));
    co_return file;
  }
  source->end_by(until);
  FLOWSTORE_CO_TRY(std::string bytes, co_await read_all(*source));
  file.content = Content(std::move(bytes));
  co_return file;
}

// One question more, and one for each folder on the way; only where there is no file.
Task<Error> Store::explain_missing(const FileKey& key, std::string_view operation) {
  const auto is_folder = co_await has_keys(objects_, prefix_of(key));
  if (!is_folder) co_return is_folder.error();
  if (*is_folder) co_return folder_instead(key, operation);
  const std::string_view path = key.path();
  for (std::size_t slash = path.find('/', key.project().path().size() + 1);
       slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    const auto above = co_await objects_.head(path.substr(0, slash));
    if (!above) co_return above.error();
    if (*above) co_return not_a_directory(key, operation);
  }
  co_return no_such_file(key, operation);
}

Task<Error> Store::explain_no_folder(const FileKey& folder) {
  const auto file = co_await objects_.head(folder.path());
  if (!file) co_return file.error();
  co_return *file ? not_a_directory(folder, "scandir") : no_such_file(folder, "scandir");
}

Task<Result<std::uint64_t>> Store::remove(const FileKey& key, Expected expected) {
  const auto until = expected.until.value_or(objects_.deadline());
  FLOWSTORE_CO_TRY(const Right right, co_await changes_.enter(key));
  FLOWSTORE_CO_TRY(const Found found, co_await look_up(key, "unlink", until));
  if (!is_expected(expected, found)) co_return changed_meanwhile();
  const Condition same = right.can.unchanged(found.stat, Way::removal);
  FLOWSTORE_CO_TRY(const Change change, co_await objects_.remove(key.path(), same, until));
  if (change.is_passed) co_return changed_meanwhile();
  co_return found.stat.size;
}

Task<Result<RemovedTree>> Store::remove_tree(const FileKey& folder) {
  RemovedTree removed;
  ListQuery query;
  query.prefix = prefix_of(folder);
  auto remove_page = [&](const ObjectPage& page) -> Task<Status> {
    FLOWSTORE_CO_TRY_STATUS(co_await remove_objects(objects_, page.objects));
    removed.files += page.objects.size();
    for (const Listed& object : page.objects) removed.bytes += object.size;
    co_return Status();
  };
  const OnPage on_page = remove_page;
  FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(objects_, query, on_page));
  if (removed.files == 0 && !folder.relative().empty())
    co_return co_await explain_no_folder(folder);
  co_return removed;
}

Task<Result<Listing>> Store::list(const FileKey& folder, const ListOptions& options) {
  FLOWSTORE_CO_TRY(auto listing, co_await list_folder(objects_, prefix_of(folder), options));
  const bool may_be_none = listing.entries.empty() && !folder.relative().empty();
  if (!may_be_none) co_return listing;
  FLOWSTORE_CO_TRY(const bool is_there, co_await has_keys(objects_, prefix_of(folder)));
  if (!is_there) co_return co_await explain_no_folder(folder);
  co_return listing;
}

Task<Result<std::uint64_t>> Store::usage(const ProjectKey& project) {
  std::uint64_t total = 0;
  ListQuery query;
  query.prefix = project.path() + "/";
  auto add_page = [&total](const ObjectPage& page) -> Task<Status> {
    for (const Listed& object : page.objects) total += object.size;
    co_return Status();
  };
  const OnPage on_page = add_page;
  FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(objects_, query, on_page));
  co_return total;
}

Task<Result<std::vector<ProjectKey>>> Store::projects(std::string_view team) {
  std::vector<ProjectKey> found;
  ListQuery query;
  query.prefix = std::string(team) + "/";
  query.is_rolled_up = true;
  auto add_page = [&found, team](const ObjectPage& page) -> Task<Status> {
    for (const std::string& prefix : page.prefixes) {
      const std::string_view name = std::string_view(prefix).substr(team.size() + 1);
      // What no project can be called is none.
      auto key = ProjectKey::parse(team, name.substr(0, name.size() - 1));
      if (key) found.push_back(*std::move(key));
    }
    co_return Status();
  };
  const OnPage on_page = add_page;
  FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(objects_, query, on_page));
  // S3 sorts them with the '/' behind.
  std::sort(found.begin(), found.end(),
            [](const ProjectKey& a, const ProjectKey& b) { return a.path() < b.path(); });
  co_return found;
}

Task<Result<std::vector<std::string>>> Store::teams() {
  std::vector<std::string> found;
  ListQuery query;
  query.is_rolled_up = true;
  auto add_page = [&found](const ObjectPage& page) -> Task<Status> {
    for (const std::string& prefix : page.prefixes) {
      const std::string team = prefix.substr(0, prefix.size() - 1);
      if (is_valid_id(team) && team != kOwnFolder) found.push_back(team);
    }
    co_return Status();
  };
  const OnPage on_page = add_page;
  FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(objects_, query, on_page));
  std::sort(found.begin(), found.end());
  co_return found;
}

Task<Status> Store::probe() {
  ListQuery query;
  query.prefix = std::string(kOwnFolder) + "/";
  query.limit = 1;
  const auto page = co_await objects_.list(query);
  if (page) co_return Status();
  // What clients are told is of no use to whoever can mend it.
  const std::string reason = client_.outage().reason();
  if (page.error().kind() != ErrorKind::unavailable || reason.empty()) co_return page.error();
  co_return Error(ErrorKind::unavailable, page.error().code(),
                  "The S3 store cannot be used: " + reason);
}

}  // namespace flowstore::files::s3

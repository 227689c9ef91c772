#include "files/memory/memory_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "files/file_errors.h"

namespace flowstore::files::memory {
namespace {

// The end of all keys below a folder: '0' follows '/' in ASCII.
std::string below(std::string_view path) { return std::string(path) + "/"; }
std::string behind(std::string_view path) { return std::string(path) + "0"; }

}  // namespace

// A body that has been taken in. Its bytes count as stored until they are committed or dropped.
class Store::Incoming final : public Upload {
 public:
  Incoming(Store& store, FileKey key, WriteMode mode)
      : store_(store), key_(std::move(key)), mode_(mode) {}
  ~Incoming() override { store_.release(reserved_); }

  bool add(std::string_view piece) {
    if (!store_.reserve(piece.size())) return false;
    reserved_ += piece.size();
    size_ += piece.size();
    body_.append(piece);
    return true;
  }

  std::uint64_t size() const override { return size_; }
  Task<Result<WriteResult>> commit(Expected expected) override {
    auto written = store_.commit(key_, std::move(body_), mode_, expected);
    if (written) reserved_ = 0;  // it belongs to the file now
    co_return written;
  }

 private:
  Store& store_;
  FileKey key_;
  WriteMode mode_;
  std::string body_;
  std::uint64_t size_ = 0;
  std::uint64_t reserved_ = 0;  // of the store's bytes; the file's own after a commit
};

Task<Result<std::unique_ptr<Upload>>> Store::receive(const FileKey& key, ByteSource& body,
                                                     WriteMode mode) {
  if (key.has_long_name()) co_return name_too_long(key, "open");
  auto incoming = std::make_unique<Incoming>(*this, key, mode);
  while (true) {
    const auto piece = co_await body.next();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    if (!incoming->add(*piece)) co_return store_is_full();
  }
  co_return std::unique_ptr<Upload>(std::move(incoming));
}

Result<WriteResult> Store::commit(const FileKey& key, std::string body, WriteMode mode,
                                  const Expected& expected) {
  const bool is_append = mode == WriteMode::append;
  const std::lock_guard lock(mutex_);
  FLOWSTORE_TRY_STATUS(check_place(key));
  const auto found = files_.find(key.path());
  const std::uint64_t old_size = found == files_.end() ? 0 : found->second.stat.size;
  if (is_append && !expected.has_room(old_size, body.size())) {
    return Error::too_large(*expected.most);
  }
  if (is_append && found != files_.end()) body.insert(0, *found->second.bytes);
  // A replaced file gives its bytes back; an appended one goes on being counted.
  if (!is_append) release(old_size);
  WriteResult result;
  result.replaced_bytes = old_size;
  File file;
  file.stat.size = body.size();
  file.stat.etag = "\"" + std::to_string(++versions_) + "-" + std::to_string(body.size()) + "\"";
  file.stat.modified = clock_.wall();
  file.bytes = std::make_shared<const std::string>(std::move(body));
  result.stat = file.stat;
  files_.insert_or_assign(key.path(), std::move(file));
  make_folders(key);
  return result;
}

void Store::make_folders(const FileKey& key) {
  const std::string& path = key.path();
  for (std::size_t slash = key.project().path().size(); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    folders_.try_emplace(path.substr(0, slash), clock_.wall());
  }
  note_change_at(path);
}

void Store::note_change_at(std::string_view path) {
  folders_.find(path.substr(0, path.rfind('/')))->second = clock_.wall();
}

Status Store::check_place(const FileKey& key) const {
  if (key.names_folder() || is_folder(key.path())) return is_a_directory(key, "open");
  if (is_below_a_file(key)) return not_a_directory(key, "open");
  return {};
}

bool Store::is_below_a_file(const FileKey& key) const {
  const std::string_view path = key.path();
  for (std::size_t slash = path.find('/', key.project().path().size() + 1);
       slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (files_.find(path.substr(0, slash)) != files_.end()) return true;
  }
  return false;
}

bool Store::is_folder(std::string_view path) const { return folders_.find(path) != folders_.end(); }

Result<Store::Files::iterator> Store::look_up(const FileKey& key, std::string_view operation) {
  const auto found = files_.find(key.path());
  if (found != files_.end()) return found;
  if (key.has_long_name()) return name_too_long(key, operation);
  if (is_folder(key.path())) {
    return operation == "open" ? is_a_directory("read") : is_a_directory(key, operation);
  }
  if (is_below_a_file(key)) return not_a_directory(key, operation);
  return no_such_file(key, operation);
}

Error Store::no_folder(const FileKey& folder) const {
  const bool is_file = files_.find(folder.path()) != files_.end();
  return is_file ? not_a_directory(folder, "scandir") : no_such_file(folder, "scandir");
}

Task<Result<FileStat>> Store::stat(const FileKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = look_up(key, "open");
  if (!found) co_return found.error();
  co_return (*found)->second.stat;
}

Task<Result<OpenFile>> Store::open(const FileKey& key, Reading /*reading*/) {
  const std::lock_guard lock(mutex_);
  const auto found = look_up(key, "open");
  if (!found) co_return found.error();
  const File& file = (*found)->second;
  OpenFile opened;
  opened.stat = file.stat;
  opened.content = Content(Content::Shared(file.bytes));
  co_return opened;
}

Task<Result<std::uint64_t>> Store::remove(const FileKey& key, Expected /*expected*/) {
  if (key.relative().empty()) co_return is_a_directory(key, "unlink");
  const std::lock_guard lock(mutex_);
  const auto found = look_up(key, "unlink");
  if (!found) co_return found.error();
  const std::uint64_t size = (*found)->second.stat.size;
  files_.erase(*found);
  note_change_at(key.path());
  release(size);
  co_return size;
}

Task<Result<RemovedTree>> Store::remove_tree(const FileKey& folder) {
  const std::lock_guard lock(mutex_);
  RemovedTree removed;
  const bool is_project = folder.relative().empty();
  if (!is_project && !is_folder(folder.path())) co_return no_folder(folder);
  const std::string from = below(folder.path());
  const std::string to = behind(folder.path());
  const auto end = files_.lower_bound(to);
  for (auto file = files_.lower_bound(from); file != end; file = files_.erase(file)) {
    ++removed.files;
    removed.bytes += file->second.stat.size;
  }
  release(removed.bytes);
  folders_.erase(folders_.lower_bound(from), folders_.lower_bound(to));
  if (!is_project) {
    folders_.erase(folder.path());
    note_change_at(folder.path());
  }
  co_return removed;
}

Task<Result<Listing>> Store::list(const FileKey& folder, const ListOptions& options) {
  const std::lock_guard lock(mutex_);
  const bool is_there = is_folder(folder.path());
  if (!is_there && !folder.relative().empty()) co_return no_folder(folder);
  Listing listing;
  for (auto& [name, entry] : entries_of(folder, options)) {
    if (listing.entries.size() == options.limit) {
      listing.next_cursor = listing.entries.back().name;
      break;
    }
    listing.entries.push_back(std::move(entry));
  }
  co_return listing;
}

Store::Entries Store::entries_of(const FileKey& folder, const ListOptions& options) const {
  const std::string from = below(folder.path());
  const std::string to = behind(folder.path());
  Entries entries;
  const auto add = [&](std::string_view path, Entry entry) {
    entry.name = path.substr(from.size());
    const bool is_deeper = !options.is_recursive && entry.name.find('/') != std::string::npos;
    if (!is_deeper && entry.name > options.cursor) entries.try_emplace(entry.name, entry);
  };
  const auto last_file = files_.lower_bound(to);
  for (auto file = files_.lower_bound(from); file != last_file; ++file) {
    Entry entry;
    entry.size = file->second.stat.size;
    entry.modified = file->second.stat.modified;
    add(file->first, std::move(entry));
  }
  if (options.is_recursive) return entries;
  const auto last_folder = folders_.lower_bound(to);
  for (auto inner = folders_.lower_bound(from); inner != last_folder; ++inner) {
    Entry entry;
    entry.is_folder = true;
    entry.modified = inner->second;
    add(inner->first, std::move(entry));
  }
  return entries;
}

Task<Result<std::uint64_t>> Store::usage(const ProjectKey& project) {
  const std::lock_guard lock(mutex_);
  std::uint64_t total = 0;
  const auto end = files_.lower_bound(behind(project.path()));
  for (auto file = files_.lower_bound(below(project.path())); file != end; ++file) {
    total += file->second.stat.size;
  }
  co_return total;
}

Task<Result<std::vector<ProjectKey>>> Store::projects(std::string_view team) {
  const std::lock_guard lock(mutex_);
  std::vector<ProjectKey> found;
  const std::string prefix = below(team);
  for (auto folder = folders_.lower_bound(prefix);
       folder != folders_.end() && folder->first.starts_with(prefix); ++folder) {
    const std::string name = folder->first.substr(prefix.size());
    if (name.find('/') != std::string::npos) continue;
    FLOWSTORE_CO_TRY(auto key, ProjectKey::parse(team, name));
    found.push_back(std::move(key));
  }
  co_return found;
}

Task<Result<std::vector<std::string>>> Store::teams() {
  const std::lock_guard lock(mutex_);
  std::set<std::string> found;
  for (const auto& [path, changed] : folders_) found.insert(path.substr(0, path.find('/')));
  co_return std::vector<std::string>(found.begin(), found.end());
}

Task<Status> Store::probe() { co_return Status(); }

bool Store::reserve(std::uint64_t bytes) noexcept {
  std::uint64_t before = bytes_.load();
  do {
    if (bytes > max_bytes_ - std::min(max_bytes_, before)) return false;
  } while (!bytes_.compare_exchange_weak(before, before + bytes));
  return true;
}

}  // namespace flowstore::files::memory

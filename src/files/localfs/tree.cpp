// Blocks: reads and removes folders.

#include "files/localfs/tree.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace flowstore::files::localfs {
namespace {

bool stat_at(int folder, const std::string& name, struct stat& status) {
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::chrono::system_clock::time_point modified(const struct stat& status) {
  const auto since = std::chrono::seconds(status.st_mtim.tv_sec) +
                     std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

Entry entry_of(std::string name, bool is_folder, const struct stat& status) {
  Entry entry;
  entry.name = std::move(name);
  entry.is_folder = is_folder;
  entry.size = is_folder ? 0 : static_cast<std::uint64_t>(status.st_size);
  entry.modified = modified(status);
  return entry;
}

// Cuts a sorted list to the page that the options ask for.
void take_page(std::vector<Entry> entries, const ListOptions& options, Listing& listing) {
  if (entries.size() > options.limit) {
    entries.resize(options.limit);
    listing.next_cursor = entries.back().name;
  }
  listing.entries = std::move(entries);
}

bool by_name(const Entry& a, const Entry& b) { return a.name < b.name; }

int list_recursively(const Beneath& root, const std::string& path, const ListOptions& options,
                     Listing& listing) {
  std::vector<Entry> entries;
  const Visit visit = [&](const std::string& relative, const struct stat& status) {
    if (relative <= options.cursor) return;
    entries.push_back(entry_of(relative, false, status));
    // Twice the page is enough to sort now and then, so that memory follows the page, not the tree.
    if (entries.size() < 2 * (options.limit + 1)) return;
    std::sort(entries.begin(), entries.end(), by_name);
    entries.resize(options.limit + 1);
  };
  if (const int error = walk(root, path, visit)) return error;
  std::sort(entries.begin(), entries.end(), by_name);
  take_page(std::move(entries), options, listing);
  return 0;
}

}  // namespace

int read_folder(int folder, std::vector<Found>& found) {
  FileDescriptor copy(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return errno;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy.release()), &::closedir);
  if (!entries) return errno;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(entries.get());
    if (entry == nullptr) return errno;
    Found one;
    one.name = entry->d_name;
    if (one.name == "." || one.name == "..") continue;
    one.is_folder = entry->d_type == DT_DIR;
    one.is_file = entry->d_type == DT_REG;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat status {};
      if (!stat_at(folder, one.name, status)) continue;
      one.is_folder = S_ISDIR(status.st_mode);
      one.is_file = S_ISREG(status.st_mode);
    }
    found.push_back(std::move(one));
  }
}

int walk(const Beneath& root, const std::string& path, const Visit& visit) {
  std::vector<std::string> pending = {std::string()};
  for (bool is_first = true; !pending.empty(); is_first = false) {
    const std::string relative = std::move(pending.back());
    pending.pop_back();
    const std::string place = relative.empty() ? path : path + "/" + relative;
    const Opened folder = root.open(place, O_RDONLY | O_DIRECTORY);
    if (folder.error != 0 && is_first) return folder.error;
    if (folder.error != 0) continue;
    std::vector<Found> found;
    if (const int error = read_folder(folder.file.get(), found)) return error;
    for (const Found& one : found) {
      if (one.is_folder) pending.push_back(join(relative, one.name));
      struct stat status {};
      if (one.is_file && stat_at(folder.file.get(), one.name, status)) {
        visit(join(relative, one.name), status);
      }
    }
  }
  return 0;
}

int list_folder(const Beneath& root, const std::string& path, const ListOptions& options,
                Listing& listing) {
  if (options.is_recursive) return list_recursively(root, path, options, listing);
  const Opened folder = root.open(path, O_RDONLY | O_DIRECTORY);
  if (folder.error != 0) return folder.error;
  std::vector<Found> found;
  if (const int error = read_folder(folder.file.get(), found)) return error;
  std::erase_if(found, [&](const Found& one) {
    return one.name <= options.cursor || (!one.is_file && !one.is_folder);
  });
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.name < b.name; });
  // Only what the page shows is looked at more closely.
  if (found.size() > options.limit + 1) found.resize(options.limit + 1);
  std::vector<Entry> entries;
  for (Found& one : found) {
    struct stat status {};
    if (!stat_at(folder.file.get(), one.name, status)) continue;
    entries.push_back(entry_of(std::move(one.name), one.is_folder, status));
  }
  take_page(std::move(entries), options, listing);
  return 0;
}

int remove_tree(const Beneath& root, const std::string& path, bool keeps_folder,
                RemovedTree& removed) {
  std::vector<std::string> pending = {path};
  std::vector<std::string> emptied;
  while (!pending.empty()) {
    const std::string place = std::move(pending.back());
    pending.pop_back();
    const Opened folder = root.open(place, O_RDONLY | O_DIRECTORY);
    if (folder.error != 0 && place == path) return folder.error;
    if (folder.error != 0) continue;
    std::vector<Found> found;
    if (const int error = read_folder(folder.file.get(), found)) return error;
    for (const Found& one : found) {
      if (one.is_folder) {
        pending.push_back(place + "/" + one.name);
        continue;
      }
      struct stat status {};
      const bool is_known = stat_at(folder.file.get(), one.name, status);
      if (::unlinkat(folder.file.get(), one.name.c_str(), 0) != 0) {
        if (errno == ENOENT) continue;
        return errno;
      }
      ++removed.files;
      if (is_known && one.is_file) removed.bytes += static_cast<std::uint64_t>(status.st_size);
    }
    emptied.push_back(place);
  }
  // The deepest come last, so they go first. A folder that got a new file meanwhile stays.
  for (auto place = emptied.rbegin(); place != emptied.rend(); ++place) {
    if (keeps_folder && *place == path) continue;
    const auto [parent, name] = split_path(*place);
    const Opened folder = root.open(parent, O_RDONLY | O_DIRECTORY);
    if (folder.error == 0) ::unlinkat(folder.file.get(), std::string(name).c_str(), AT_REMOVEDIR);
  }
  return 0;
}

}  // namespace flowstore::files::localfs

// Blocks: reads folders.

#include "files/localfs/listing.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "files/localfs/file_io.h"
#include "files/localfs/tree.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

std::string cursor_of(std::string_view name) {
  std::string cursor;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '%') {
      cursor.push_back(c);
    } else {
      cursor.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
    }
  }
  return cursor;
}

std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < 3 || text.front() != '%') return std::nullopt;
  unsigned byte = 0;
  const char* const end = text.data() + 3;
  const auto parsed = std::from_chars(text.data() + 1, end, byte, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return static_cast<char>(byte);
}

// What is no escape stands for itself: any text is a cursor, as any name could be one.
std::string name_of(std::string_view cursor) {
  std::string name;
  while (!cursor.empty()) {
    const auto byte = escaped_byte(cursor);
    name.push_back(byte.value_or(cursor.front()));
    cursor.remove_prefix(byte ? 3 : 1);
  }
  return name;
}

Entry entry_of(std::string name, const struct stat& status) {
  Entry entry;
  entry.name = std::move(name);
  entry.is_folder = S_ISDIR(status.st_mode);
  entry.size = entry.is_folder ? 0 : static_cast<std::uint64_t>(status.st_size);
  entry.modified = modified(status);
  return entry;
}

bool by_name(const Entry& a, const Entry& b) { return a.name < b.name; }

// The first names of many that come in any order. Memory follows the page, not the tree.
class FirstEntries {
 public:
  FirstEntries(std::string behind, std::size_t limit) : behind_(std::move(behind)), limit_(limit) {}

  void add(std::string name, const struct stat& status) {
    if (name <= behind_) return;
    entries_.push_back(entry_of(std::move(name), status));
    // Twice the page is enough to sort now and then.
    if (entries_.size() >= 2 * (limit_ + 1)) cut();
  }

  Listing page() && {
    cut();
    Listing listing;
    if (entries_.size() > limit_) {
      entries_.pop_back();
      listing.next_cursor = cursor_of(entries_.back().name);
    }
    listing.entries = std::move(entries_);
    return listing;
  }

 private:
  // Keeps one more than the page: it tells whether there is a next one.
  void cut() {
    std::sort(entries_.begin(), entries_.end(), by_name);
    if (entries_.size() > limit_ + 1) entries_.resize(limit_ + 1);
  }

  std::string behind_;
  std::size_t limit_;
  std::vector<Entry> entries_;
};

int list_files_below(const Beneath& root, const std::string& path, FirstEntries& entries) {
  const Visit visit = [&](const std::string& relative, const struct stat& status) {
    entries.add(relative, status);
  };
  return walk(root, path, visit);
}

// Looks closely only at what the page shows: a folder may hold very many files.
int list_names_in(const Beneath& root, const std::string& path, std::string_view behind,
                  std::size_t most, FirstEntries& entries) {
  const Opened folder = root.open(path, O_RDONLY | O_DIRECTORY);
  if (folder.error != 0) return folder.error;
  std::vector<Found> found;
  if (const int error = read_folder(folder.file.get(), found)) return error;
  std::erase_if(found, [&](const Found& one) {
    return one.name <= behind || (!one.is_file && !one.is_folder);
  });
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.name < b.name; });
  std::size_t shown = 0;
  for (Found& one : found) {
    if (shown == most) break;
    struct stat status {};
    if (!stat_at(folder.file.get(), one.name, status)) continue;
    entries.add(std::move(one.name), status);
    ++shown;
  }
  return 0;
}

}  // namespace

int list_folder(const Beneath& root, const std::string& path, const ListOptions& options,
                Listing& listing) {
  const std::size_t limit = std::max<std::size_t>(options.limit, 1);
  const std::string behind = name_of(options.cursor);
  FirstEntries entries(behind, limit);
  const int error = options.is_recursive ? list_files_below(root, path, entries)
                                         : list_names_in(root, path, behind, limit + 1, entries);
  if (error == 0) listing = std::move(entries).page();
  return error;
}

}  // namespace flowstore::files::localfs

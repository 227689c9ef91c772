#include "files/s3/listing.h"

#include <algorithm>
#include <utility>

namespace flowstore::files::s3 {
namespace {

// Behind every key of a folder: the last character there is.
constexpr std::string_view kLastCharacter = "\xF4\x8F\xBF\xBF";

// Where the page begins that follows this entry.
std::string start_after(const std::string& prefix, const std::string& cursor) {
  if (cursor.empty()) return {};
  std::string key = prefix + cursor;
  if (cursor.back() == '/') key += kLastCharacter;
  return key;
}

std::string cursor_of(const Entry& entry) {
  return entry.is_folder ? entry.name + "/" : entry.name;
}

Entry file_entry(const Listed& object, std::size_t prefix) {
  Entry entry;
  entry.name = object.key.substr(prefix);
  entry.size = object.size;
  entry.modified = object.modified;
  return entry;
}

Entry folder_entry(const std::string& key, std::size_t prefix) {
  Entry entry;
  entry.name = key.substr(prefix, key.size() - prefix - 1);
  entry.is_folder = true;
  return entry;
}

// Objects whose names end with '/' stand for folders in other programs.
bool is_marker(std::string_view key) { return key.ends_with('/'); }

std::vector<Entry> entries_of(const ObjectPage& page, std::size_t prefix,
                              const std::string& cursor) {
  std::vector<Entry> entries;
  for (const Listed& object : page.objects) {
    if (!is_marker(object.key)) entries.push_back(file_entry(object, prefix));
  }
  for (const std::string& key : page.prefixes) {
    // "a//b" is not reachable by any path; a page may begin with the folder it should follow.
    if (key.size() <= prefix + 1) continue;
    Entry entry = folder_entry(key, prefix);
    if (cursor_of(entry) != cursor) entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return cursor_of(a) < cursor_of(b); });
  return entries;
}

}  // namespace

Task<Result<Listing>> list_folder(Objects& objects, std::string prefix, ListOptions options) {
  Listing listing;
  ListQuery query;
  query.prefix = prefix;
  query.is_rolled_up = !options.is_recursive;
  query.start_after = start_after(prefix, options.cursor);
  // One more than wanted tells whether there is a next page.
  query.limit = std::min<std::size_t>(options.limit + 1, 1000);
  while (true) {
    FLOWSTORE_CO_TRY(const ObjectPage page, co_await objects.list(query));
    for (Entry& entry : entries_of(page, prefix.size(), options.cursor)) {
      if (listing.entries.size() == options.limit) {
        listing.next_cursor = cursor_of(listing.entries.back());
        co_return listing;
      }
      listing.entries.push_back(std::move(entry));
    }
    if (!page.is_truncated || page.next_token.empty()) co_return listing;
    query.token = page.next_token;
  }
}

Task<Result<bool>> has_keys(Objects& objects, std::string prefix) {
  ListQuery query;
  query.prefix = std::move(prefix);
  query.limit = 1;
  FLOWSTORE_CO_TRY(const ObjectPage page, co_await objects.list(query));
  co_return !page.objects.empty();
}

Task<Status> for_each_page(Objects& objects, ListQuery query, OnPage on_page) {
  while (true) {
    FLOWSTORE_CO_TRY(const ObjectPage page, co_await objects.list(query));
    FLOWSTORE_CO_TRY_STATUS(co_await on_page(page));
    if (!page.is_truncated || page.next_token.empty()) co_return Status();
    query.token = page.next_token;
  }
}

Task<Status> remove_objects(Objects& objects, const std::vector<Listed>& all) {
  std::vector<Listed> together;
  std::vector<const Listed*> alone;
  for (const Listed& object : all) {
    if (fits_xml(object.key)) {
      together.push_back(object);
    } else {
      alone.push_back(&object);
    }
  }
  if (together.size() > 1) {
    const auto report = co_await objects.remove_many(together);
    if (report && report->failed > 0) co_return store_is_down();
    if (!report && report.error().kind() == ErrorKind::unavailable) co_return report.error();
    // A store may not know this operation.
    if (report) together.clear();
  }
  for (const Listed& object : together) alone.push_back(&object);
  for (const Listed* object : alone) {
    FLOWSTORE_CO_TRY_STATUS(co_await objects.remove(object->key, Condition()));
  }
  co_return Status();
}

}  // namespace flowstore::files::s3

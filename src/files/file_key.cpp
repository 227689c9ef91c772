#include "files/file_key.h"

#include <algorithm>
#include <array>

namespace flowstore::files {
namespace {

Error invalid_path() { return Error(ErrorKind::invalid, "ENOTDIR", "Invalid Path"); }

constexpr bool is_refused_in_an_id(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || c == '/' || c == '\\' || c == '?' || c == '#';
}

// The same as a table: every request has two ids.
constexpr auto kRefusedInAnId = [] {
  std::array<bool, 256> refused{};
  for (std::size_t byte = 0; byte < refused.size(); ++byte) {
    refused[byte] = is_refused_in_an_id(static_cast<char>(byte));
  }
  return refused;
}();

// The path can only be meant as a folder.
bool ends_like_a_folder(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return last.empty() || last == "." || last == "..";
}

}  // namespace

bool is_valid_id(std::string_view id) {
  if (id.empty() || id == "." || id == "..") return false;
  if (id.front() == ' ' || id.back() == ' ') return false;
  return std::none_of(id.begin(), id.end(),
                      [](char c) { return kRefusedInAnId[static_cast<unsigned char>(c)]; });
}

Result<ProjectKey> ProjectKey::parse(std::string_view team, std::string_view project) {
  if (!is_valid_id(team) || !is_valid_id(project)) return invalid_path();
  std::string path(team);
  path.append("/").append(project);
  return ProjectKey(std::move(path), team.size());
}

Result<FileKey> FileKey::parse(ProjectKey project, std::string_view path) {
  if (path.starts_with('/') || path.find('\0') != std::string_view::npos) return invalid_path();
  const std::size_t root = project.path().size();
  std::string joined;
  joined.reserve(root + 1 + path.size());
  joined.append(project.path());
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      joined.append("/").append(segment);
    } else if (joined.size() == root) {
      return invalid_path();
    } else {
      joined.resize(joined.rfind('/'));
    }
  }
  const bool names_folder = joined.size() == root || ends_like_a_folder(path);
  FileKey key(std::move(project), std::move(joined), names_folder);
  if (key.relative() != path) key.sent_ = path;
  return key;
}

std::string_view FileKey::relative() const noexcept {
  const std::string_view all = path_;
  return all.substr(std::min(all.size(), project_.path().size() + 1));
}

bool FileKey::has_long_name() const noexcept {
  constexpr std::size_t kLongestName = 255;
  for (std::string_view path = relative(); !path.empty();) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > kLongestName) return true;
    path.remove_prefix(std::min(path.size(), slash + 1));
  }
  return false;
}

}  // namespace flowstore::files

#include "files/file_key.h"

#include <algorithm>
#include <vector>

namespace flowstore::files {
namespace {

Error invalid_path() { return Error(ErrorKind::invalid, "ENOTDIR", "Invalid Path"); }

bool is_refused_in_an_id(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || c == '/' || c == '\\' || c == '?' || c == '#';
}

// The path can only be meant as a folder.
bool ends_like_a_folder(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return last.empty() || last == "." || last == "..";
}

}  // namespace

bool is_valid_id(std::string_view id) {
  if (id.empty() || id == "." || id == "..") return false;
  if (id.front() == ' ' || id.back() == ' ') return false;
  for (const char c : id) {
    if (is_refused_in_an_id(c)) return false;
  }
  return true;
}

Result<ProjectKey> ProjectKey::parse(std::string_view team, std::string_view project) {
  if (!is_valid_id(team) || !is_valid_id(project)) return invalid_path();
  std::string path(team);
  path.append("/").append(project);
  return ProjectKey(std::move(path), team.size());
}

Result<FileKey> FileKey::parse(ProjectKey project, std::string_view path) {
  if (path.starts_with('/') || path.find('\0') != std::string_view::npos) return invalid_path();
  std::vector<std::string_view> segments;
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      segments.push_back(segment);
    } else if (segments.empty()) {
      return invalid_path();
    } else {
      segments.pop_back();
    }
  }
  std::string joined = project.path();
  for (const std::string_view segment : segments) joined.append("/").append(segment);
  const bool names_folder = segments.empty() || ends_like_a_folder(path);
  return FileKey(std::move(project), std::move(joined), std::string(path), names_folder);
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

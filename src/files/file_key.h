#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace flowstore::files {

// A project of a team: what a quota counts and a token opens.
class ProjectKey {
 public:
  // One path segment each: not empty, not "." or "..", no '/', '\', '?', '#', NUL, control
  // characters or outer spaces. Else ENOTDIR "Invalid Path".
  static Result<ProjectKey> parse(std::string_view team, std::string_view project);

  const std::string& path() const noexcept { return path_; }  // "team/project"
  std::string_view team() const noexcept { return std::string_view(path_).substr(0, team_size_); }
  std::string_view project() const noexcept {
    return std::string_view(path_).substr(team_size_ + 1);
  }

  bool operator==(const ProjectKey& other) const noexcept { return path_ == other.path_; }

 private:
  ProjectKey(std::string path, std::size_t team_size)
      : path_(std::move(path)), team_size_(team_size) {}

  std::string path_;
  std::size_t team_size_;
};

// True for an id that may stand as one segment of a path; see ProjectKey::parse.
bool is_valid_id(std::string_view id);

// The name of one stored file or folder: a path confined to one project.
//
// A FileKey cannot name anything outside its project: parse is the only way to make one, and it
// rejects what would escape. Drivers therefore join path() to their root without further checks.
class FileKey {
 public:
  // `path` is the tail of the URL, decoded once. "a//b" is "a/b", "." and ".." are resolved. A path
  // that starts with '/', leaves the project or holds NUL is ENOTDIR "Invalid Path", as the old
  // server answers.
  static Result<FileKey> parse(ProjectKey project, std::string_view path);

  const ProjectKey& project() const noexcept { return project_; }

  // "team/project/dir/file", normalised; "team/project" for the project's own folder.
  const std::string& path() const noexcept { return path_; }

  // "dir/file", normalised; empty for the project's own folder.
  std::string_view relative() const noexcept;

  // The path as the client sent it, decoded: the only form that may appear in a message.
  std::string_view sent() const noexcept {
    return sent_.empty() ? relative() : std::string_view(sent_);
  }

  // The path can only be a folder: it is the project itself or was sent with '/', "/." or "/.." at
  // its end.
  bool names_folder() const noexcept { return names_folder_; }

  // A segment has more than the 255 bytes that file systems allow.
  bool has_long_name() const noexcept;

 private:
  FileKey(ProjectKey project, std::string path, bool names_folder)
      : project_(std::move(project)), path_(std::move(path)), names_folder_(names_folder) {}

  ProjectKey project_;
  std::string path_;
  std::string sent_;  // empty: the same as relative()
  bool names_folder_;
};

}  // namespace flowstore::files

// Any bytes as a path: what is accepted lies in the project, in its one normal form.

#include <string_view>

#include "files/file_key.h"
#include "fuzz.h"

using flowstore::files::FileKey;
using flowstore::files::ProjectKey;
using flowstore::fuzz::require;

namespace {

void require_plain_segments(std::string_view path) {
  require(path.find('\0') == std::string_view::npos);
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    require(!segment.empty() && segment != "." && segment != "..");
    if (slash == std::string_view::npos) return;
    path.remove_prefix(slash + 1);
  }
}

void check_path(std::string_view path) {
  const auto project = ProjectKey::parse("team", "project");
  const auto key = FileKey::parse(*project, path);
  if (!key) return;
  require(key->sent() == path);
  require(key->path() == "team/project" || key->path().starts_with("team/project/"));
  require_plain_segments(key->path());
  require(key->relative().empty() == (key->path() == "team/project"));
  const auto again = FileKey::parse(*project, key->relative());
  require(again && again->path() == key->path());
  require(again->names_folder() == key->relative().empty());
}

void check_id(std::string_view id) {
  const auto project = ProjectKey::parse(id, id);
  if (!project) return;
  require(project->team() == id && project->project() == id);
  require_plain_segments(project->path());
  const auto key = FileKey::parse(*project, "a");
  require(key && key->relative() == "a");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = flowstore::fuzz::text_of(data, size);
  check_path(input);
  check_id(input);
  return 0;
}

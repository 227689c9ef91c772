#include "tools/gc.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tools/quantity.h"
#include "tools/walk.h"

namespace flowstore::tools {
namespace {

constexpr std::size_t kShownOfLine = 60;

std::string_view trimmed(std::string_view line) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
  return line;
}

// As the platform makes them: letters, digits and a few signs. What a page of HTML or a table of
// psql has is something else.
bool is_project_id(std::string_view text) {
  const auto is_part = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == ':';
  };
  const bool has_letter_or_digit = std::any_of(text.begin(), text.end(), [](char c) {
    return c != '-' && c != '_' && c != '.' && c != ':';
  });
  return has_letter_or_digit && std::all_of(text.begin(), text.end(), is_part);
}

Error bad_list(std::string message) {
  return Error(ErrorKind::invalid, "live", std::move(message) + "; nothing was removed");
}

class Collector {
 public:
  Collector(Stores& stores, GcOptions options, Session session, Garbage& found)
      : stores_(stores), options_(std::move(options)), session_(session), found_(found) {}

  Task<Status> run() {
    FLOWSTORE_CO_TRY_STATUS(co_await look_at_files());
    FLOWSTORE_CO_TRY_STATUS(co_await look_at_context());
    for (auto& [name, orphan] : candidates_) {
      const bool is_empty = orphan.files == 0 && orphan.scopes == 0;
      if (is_empty) continue;  // what was removed before leaves its folder
      orphan.changed = changes_.at(orphan.project);
      (is_young(orphan) ? found_.young : found_.orphans).push_back(std::move(orphan));
    }
    if (!options_.deletions) co_return Status();
    FLOWSTORE_CO_TRY_STATUS(check());
    session_.progress.begin("removing projects", std::nullopt);
    for (Orphan& orphan : found_.orphans) {
      FLOWSTORE_CO_TRY_STATUS(session_.go_on());
      FLOWSTORE_CO_TRY_STATUS(co_await remove(orphan));
      orphan.is_removed = true;
      session_.progress.add_items(1);
    }
    co_return Status();
  }

 private:
  bool is_alive(const std::string& project) const { return options_.live.contains(project); }

  bool is_young(const Orphan& orphan) const {
    return orphan.changed > session_.clock.wall() - options_.quiet;
  }

  // Whoever has the id: context knows no teams, and a project may have left files in another one.
  void note_change(const std::string& project, std::chrono::system_clock::time_point when) {
    const auto [change, is_first] = changes_.emplace(project, when);
    if (!is_first) change->second = std::max(change->second, when);
  }

  Task<Status> look_at_files() {
    session_.progress.begin("looking at files", std::nullopt);
    FLOWSTORE_CO_TRY(const auto projects, co_await all_projects(stores_.files()));
    for (const files::ProjectKey& project : projects) {
      if (is_alive(std::string(project.project()))) {
        ++found_.alive;
        continue;
      }
      FLOWSTORE_CO_TRY_STATUS(co_await look_at(project));
    }
    co_return Status();
  }

  Task<Status> look_at(const files::ProjectKey& project) {
    Orphan& orphan = candidates_[project.path()];
    orphan.team = project.team();
    orphan.project = project.project();
    owners_[orphan.project].push_back(project.path());
    auto count = [&](const files::Listing& page) -> Task<Status> {
      for (const files::Entry& entry : page.entries) {
        orphan.file_bytes += entry.size;
        note_change(orphan.project, entry.modified);
      }
      orphan.files += page.entries.size();
      session_.progress.add_items(page.entries.size());
      co_return Status();
    };
    co_return co_await for_each_page(stores_.files(), project, session_, count);
  }

  Task<Status> look_at_context() {
    if (stores_.context() == nullptr) co_return Status();
    FLOWSTORE_CO_TRY(const auto all, co_await all_context(*stores_.context()));
    for (const context::ProjectUse& use : all) {
      FLOWSTORE_CO_TRY_STATUS(session_.go_on());
      if (is_alive(use.project)) {
        ++found_.alive;
        continue;
      }
      FLOWSTORE_CO_TRY(const auto changed, co_await stores_.context()->last_change(use.project));
      // A date that says nothing may be one of today.
      note_change(use.project, changed.value_or(session_.clock.wall()));
      const auto owner = owners_.find(use.project);
      const std::string name = owner == owners_.end() ? "-/" + use.project : owner->second.front();
      Orphan& orphan = candidates_[name];
      if (owner == owners_.end()) {
        orphan.team = "-";
        orphan.project = use.project;
      }
      orphan.scopes = use.rows;
      orphan.characters = use.characters;
    }
    co_return Status();
  }

  Status check() const {
    if (found_.alive == 0) {
      return bad_list(
          "the list knows none of the projects that are stored here; is it of another platform?");
    }
    if (*options_.deletions == found_.orphans.size()) return {};
    return bad_list("there are " + counted(found_.orphans.size(), "project") +
                    " to remove, and not " + grouped(*options_.deletions));
  }

  Task<Status> remove(const Orphan& orphan) {
    if (orphan.team != "-") {
      FLOWSTORE_CO_TRY(auto project, files::ProjectKey::parse(orphan.team, orphan.project));
      FLOWSTORE_CO_TRY(const auto folder, files::FileKey::parse(std::move(project), ""));
      const auto removed = co_await stores_.files().remove_tree(folder);
      if (!removed) co_return at(orphan, removed.error());
    }
    if (orphan.scopes == 0) co_return Status();
    const Caller caller;
    const auto keeps_nothing = [](std::string_view) { return false; };
    const std::function<bool(std::string_view)> is_kept = keeps_nothing;
    const Status cleaned = co_await stores_.context()->clean(caller, orphan.project, is_kept);
    if (!cleaned) co_return at(orphan, cleaned.error());
    co_return Status();
  }

  static Error at(const Orphan& orphan, const Error& error) {
    return Error(error.kind(), error.code(),
                 orphan.team + "/" + orphan.project + ": " + error.message());
  }

  Stores& stores_;
  GcOptions options_;
  Session session_;
  Garbage& found_;
  std::map<std::string, Orphan> candidates_;                              // by "team/project"
  std::map<std::string, std::vector<std::string>> owners_;                // of a project's id
  std::map<std::string, std::chrono::system_clock::time_point> changes_;  // the latest, by id
};

}  // namespace

Result<std::set<std::string>> read_live_list(std::istream& list, const std::string& name) {
  std::set<std::string> ids;
  std::string line;
  for (std::size_t number = 1; std::getline(list, line); ++number) {
    const std::string where = name + ":" + std::to_string(number) + ": ";
    if (list.eof()) return bad_list(where + "the last line does not end; is the list cut off?");
    const std::string_view id = trimmed(line);
    if (id.empty()) continue;
    if (!is_project_id(id)) {
      return bad_list(where + "\"" + std::string(id.substr(0, kShownOfLine)) +
                      "\" is no id of a project; give one id a line");
    }
    ids.emplace(id);
  }
  if (list.bad()) return bad_list(name + ": cannot be read");
  if (ids.empty()) return bad_list(name + ": holds no id");
  return ids;
}

Task<Status> collect_garbage(Stores& stores, GcOptions options, Session session, Garbage& found) {
  Collector collector(stores, std::move(options), session, found);
  co_return co_await collector.run();
}

}  // namespace flowstore::tools

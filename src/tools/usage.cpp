#include "tools/usage.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "tools/walk.h"

namespace flowstore::tools {
namespace {

constexpr const char* kNoTeam = "-";

Task<Result<Use>> count_files(files::FileStore& store, files::ProjectKey project, Session session) {
  Use use;
  use.team = project.team();
  use.project = project.project();
  use.projects = 1;
  auto count = [&](const files::Listing& page) -> Task<Status> {
    for (const files::Entry& entry : page.entries) use.file_bytes += entry.size;
    use.files += page.entries.size();
    session.progress.add_items(page.entries.size());
    co_return Status();
  };
  FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(store, std::move(project), session, count));
  co_return use;
}

// Context belongs to the team whose files say so, if that is one.
void add_context(std::vector<Use>& projects, const std::vector<context::ProjectUse>& context) {
  std::map<std::string, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < projects.size(); ++i) places[projects[i].project].push_back(i);
  for (const context::ProjectUse& one : context) {
    const auto found = places.find(one.project);
    if (found == places.end() || found->second.size() != 1) {
      Use& use = projects.emplace_back();
      use.team = kNoTeam;
      use.project = one.project;
      use.projects = 1;
      use.scopes = one.rows;
      use.characters = one.characters;
      continue;
    }
    Use& use = projects[found->second.front()];
    use.scopes = one.rows;
    use.characters = one.characters;
  }
}

void sort_by_size(std::vector<Use>& all) {
  std::sort(all.begin(), all.end(), [](const Use& a, const Use& b) {
    if (a.size() != b.size()) return a.size() > b.size();
    return std::tie(a.team, a.project) < std::tie(b.team, b.project);
  });
}

Usage summed(std::vector<Use> projects) {
  Usage usage;
  std::map<std::string, Use> teams;
  for (const Use& use : projects) {
    Use& team = teams[use.team];
    team.team = use.team;
    team.add(use);
    usage.total.add(use);
  }
  for (auto& [name, team] : teams) usage.teams.push_back(std::move(team));
  usage.projects = std::move(projects);
  sort_by_size(usage.teams);
  sort_by_size(usage.projects);
  return usage;
}

}  // namespace

void Use::add(const Use& other) {
  projects += other.projects;
  files += other.files;
  file_bytes += other.file_bytes;
  scopes += other.scopes;
  characters += other.characters;
}

Task<Result<Usage>> count_usage(Stores& stores, std::vector<std::string> wanted, Session session) {
  const std::set<std::string> names(wanted.begin(), wanted.end());
  session.progress.begin("counting files", std::nullopt);
  FLOWSTORE_CO_TRY(const auto keys, co_await all_projects(stores.files()));
  std::vector<Use> projects;
  for (const files::ProjectKey& key : keys) {
    // Those that are not wanted are counted as nothing: their context must find their team.
    if (!names.empty() && !names.contains(key.path())) {
      Use& use = projects.emplace_back();
      use.team = key.team();
      use.project = key.project();
      continue;
    }
    FLOWSTORE_CO_TRY(Use use, co_await count_files(stores.files(), key, session));
    projects.push_back(std::move(use));
  }
  if (stores.context() != nullptr) {
    session.progress.begin("counting context", std::nullopt);
    FLOWSTORE_CO_TRY(const auto context, co_await all_context(*stores.context()));
    add_context(projects, context);
  }
  const auto is_unwanted = [&names](const Use& use) {
    return !names.empty() && !names.contains(use.team + "/" + use.project);
  };
  std::erase_if(projects, is_unwanted);
  co_return summed(std::move(projects));
}

}  // namespace flowstore::tools

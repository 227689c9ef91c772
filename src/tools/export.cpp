#include "tools/export.h"

#include <set>
#include <utility>

#include "base/digest.h"
#include "base/log.h"
#include "tools/archive_names.h"
#include "tools/content_source.h"
#include "tools/file_work.h"
#include "tools/walk.h"

namespace flowstore::tools {
namespace {

// A file that keeps becoming shorter while it is read is somebody's bug.
constexpr const char* kChanging = "; run export again, or stop what changes it";

// One run of export: what it writes to, and what it has written.
class Exporter {
 public:
  Exporter(Stores& stores, ArchiveWriter& archive, Session session)
      : stores_(stores), archive_(archive), session_(session) {}

  Task<Status> run(std::vector<std::string> wanted) {
    FLOWSTORE_CO_TRY_STATUS(co_await choose(wanted));
    FLOWSTORE_CO_TRY_STATUS(put(std::string(kManifestName), manifest()));
    session_.progress.begin("exporting", std::nullopt);
    for (const files::ProjectKey& project : projects_) {
      FLOWSTORE_CO_TRY_STATUS(co_await write_files(project));
    }
    for (const std::string& project : contexts_) {
      FLOWSTORE_CO_TRY_STATUS(co_await write_context(project));
    }
    FLOWSTORE_CO_TRY_STATUS(archive_.put(std::string(kSumsName), sums_, session_.clock.wall()));
    co_return archive_.finish();
  }

  Exported exported;

 private:
  Task<Status> choose(const std::vector<std::string>& wanted) {
    const std::set<std::string> names(wanted.begin(), wanted.end());
    FLOWSTORE_CO_TRY(auto projects, co_await all_projects(stores_.files()));
    std::set<std::string> found;
    for (files::ProjectKey& project : projects) {
      if (!names.empty() && !names.contains(project.path())) continue;
      found.insert(std::string(project.project()));
      projects_.push_back(std::move(project));
    }
    FLOWSTORE_CO_TRY_STATUS(co_await choose_context(ids_of(wanted)));
    found.insert(contexts_.begin(), contexts_.end());
    for (const std::string& name : names) {
      if (found.contains(id_of(name))) continue;
      co_return Error(
          ErrorKind::not_found, "project",
          name + ": has neither files nor context; flowstore usage lists what there is");
    }
    exported.projects = found.size();
    co_return Status();
  }

  Task<Status> choose_context(std::set<std::string> ids) {
    if (stores_.context() == nullptr) co_return Status();
    FLOWSTORE_CO_TRY(const auto all, co_await all_context(*stores_.context()));
    for (const context::ProjectUse& use : all) {
      if (ids.empty() || ids.contains(use.project)) contexts_.push_back(use.project);
    }
    co_return Status();
  }

  std::string manifest() const {
    LogFields fields;
    fields.number("format", 1).text("program", "flowstore").text("version", FLOWSTORE_VERSION);
    return "{" + fields.json() + "}\n";
  }

  Status put(const std::string& name, const std::string& bytes) {
    FLOWSTORE_TRY_STATUS(archive_.put(name, bytes, session_.clock.wall()));
    sums_ += sum_line(hex(sha256(bytes)), name);
    return {};
  }

  Task<Status> write_files(const files::ProjectKey& project) {
    auto write_page = [&](const files::Listing& page) -> Task<Status> {
      for (const files::Entry& entry : page.entries) {
        const auto key = files::FileKey::parse(project, entry.name);
        if (!key || key->relative() != entry.name) {
          exported.unreachable.push_back(project.path() + "/" + entry.name);
          continue;
        }
        FLOWSTORE_CO_TRY_STATUS(co_await write_file(*key));
      }
      co_return Status();
    };
    co_return co_await for_each_page(stores_.files(), project, session_, write_page);
  }

  Task<Status> write_file(const files::FileKey& key) {
    auto opened = co_await stores_.files().open(key, files::Reading::all);
    if (!opened && opened.error().kind() == ErrorKind::not_found) co_return Status();
    if (!opened) co_return at(key, opened.error());
    const std::uint64_t size = opened->stat.size;
    FLOWSTORE_CO_TRY_STATUS(archive_.begin(name_of(key), size, opened->stat.modified));
    const auto source = source_of(std::move(opened->content));
    WatchedSource watched(*source, session_);
    std::uint64_t left = size;
    while (left > 0) {
      const auto piece = co_await watched.next();
      if (!piece) co_return at(key, piece.error());
      if (piece->empty() || piece->size() > left) {
        co_return Error(ErrorKind::conflict, "changed",
                        key.path() + ": has another length than it should" + kChanging);
      }
      left -= piece->size();
      FLOWSTORE_CO_TRY_STATUS(archive_.add(*piece));
    }
    sums_ += sum_line(watched.finish(), name_of(key));
    ++exported.files;
    exported.file_bytes += size;
    session_.progress.add_items(1);
    co_return Status();
  }

  static Error at(const files::FileKey& key, const Error& error) {
    if (error.kind() == ErrorKind::aborted) return error;
    const char* const advice = error.kind() == ErrorKind::conflict ? kChanging : "";
    return Error(error.kind(), error.code(), key.path() + ": " + error.message() + advice);
  }

  Task<Status> write_context(const std::string& project) {
    auto write_row = [&](const context::Row& row) -> Task<Status> {
      const context::RowKey key(project, row.scope);
      FLOWSTORE_CO_TRY_STATUS(put(name_of(key), row.values));
      ++exported.scopes;
      session_.progress.add_items(1);
      session_.progress.add_bytes(row.values.size());
      co_return Status();
    };
    co_return co_await for_each_row(*stores_.context(), project, session_, write_row);
  }

  Stores& stores_;
  ArchiveWriter& archive_;
  Session session_;
  std::vector<files::ProjectKey> projects_;
  std::vector<std::string> contexts_;
  std::string sums_;
};

}  // namespace

Task<Result<Exported>> export_projects(Stores& stores, ArchiveWriter& archive,
                                       std::vector<std::string> wanted, Session session) {
  Exporter exporter(stores, archive, session);
  FLOWSTORE_CO_TRY_STATUS(co_await exporter.run(std::move(wanted)));
  co_return std::move(exporter.exported);
}

}  // namespace flowstore::tools

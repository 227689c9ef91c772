#include <set>
#include <utility>

#include "tools/content_source.h"
#include "tools/file_work.h"
#include "tools/migrate.h"
#include "tools/side_by_side.h"
#include "tools/walk.h"

namespace flowstore::tools {
namespace {

using files::FileKey;
using files::FileStat;
using files::ProjectKey;

// Enough to hide the time of a request to a store on a network.
constexpr std::size_t kWidth = 8;

class FileMigration {
 public:
  FileMigration(FileSide& source, FileSide& target, MigrateOptions options, Session session,
                Migrated& done)
      : source_(source),
        target_(target),
        options_(std::move(options)),
        session_(session),
        done_(done) {}

  Task<Status> run() {
    FLOWSTORE_CO_TRY(const auto projects, co_await chosen(source_));
    std::uint64_t bytes = 0;
    session_.progress.begin("looking at the source", std::nullopt);
    for (const ProjectKey& project : projects) {
      auto add = [&](const files::Listing& page) -> Task<Status> {
        for (const files::Entry& entry : page.entries) bytes += entry.size;
        session_.progress.add_items(page.entries.size());
        co_return Status();
      };
      FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(source_, project, session_, add));
    }
    session_.progress.begin(options_.is_dry_run ? "comparing" : "copying", bytes);
    for (const ProjectKey& project : projects) {
      FLOWSTORE_CO_TRY_STATUS(co_await migrate(project));
    }
    co_return co_await find_extra_projects(projects);
  }

 private:
  Task<Result<std::vector<ProjectKey>>> chosen(FileSide& side) {
    const std::set<std::string> wanted(options_.projects.begin(), options_.projects.end());
    FLOWSTORE_CO_TRY(auto projects, co_await side.projects());
    std::erase_if(projects, [&wanted](const ProjectKey& project) {
      return !wanted.empty() && !wanted.contains(project.path());
    });
    co_return projects;
  }

  Task<Status> migrate(const ProjectKey& project) {
    std::set<std::string> names;
    auto copy_page = [&](const files::Listing& page) -> Task<Status> {
      for (const files::Entry& entry : page.entries) names.insert(entry.name);
      auto copy_one = [&](std::size_t at) -> Task<> {
        const bool goes_on = session_.go_on().has_value() && !done_.is_hopeless();
        if (goes_on) co_await copy(project, page.entries[at]);
      };
      co_await side_by_side(page.entries.size(), kWidth, copy_one);
      co_return may_go_on();
    };
    FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(source_, project, session_, copy_page));
    auto compare_page = [&](const files::Listing& page) -> Task<Status> {
      for (const files::Entry& entry : page.entries) {
        if (!names.contains(entry.name)) done_.extra.add(project.path() + "/" + entry.name);
      }
      co_return Status();
    };
    co_return co_await for_each_page(target_, project, session_, compare_page);
  }

  Status may_go_on() const {
    FLOWSTORE_TRY_STATUS(session_.go_on());
    if (!done_.is_hopeless()) return {};
    return Error(ErrorKind::unavailable, "migrate",
                 "gave up after too many files that could not be copied");
  }

  Task<> copy(const ProjectKey& project, const files::Entry& entry) {
    const auto key = FileKey::parse(project, entry.name);
    const std::string name = project.path() + "/" + entry.name;
    if (!key || key->relative() != entry.name) {
      done_.failed.add(name + ": no request can name it");
      co_return;
    }
    const Status copied = co_await copy(*key, entry);
    if (!copied && copied.error().kind() == ErrorKind::not_found) co_return;  // gone meanwhile
    session_.progress.add_items(1);
    if (copied || copied.error().kind() == ErrorKind::aborted) co_return;
    done_.failed.add(name + ": " + copied.error().message());
  }

  Task<Status> copy(const FileKey& key, const files::Entry& entry) {
    FLOWSTORE_CO_TRY(const auto found, co_await target_.find(key));
    if (found && found->size == entry.size) {
      FLOWSTORE_CO_TRY(const bool is_same, co_await are_same(key));
      if (is_same) {
        ++done_.files_same;
        session_.progress.add_bytes(entry.size);
        co_return Status();
      }
    }
    if (found && found->modified > entry.modified) {
      done_.newer.add(key.path());
      co_return Status();
    }
    std::uint64_t bytes = entry.size;
    if (!options_.is_dry_run) {
      FLOWSTORE_CO_TRY(bytes, co_await transfer(key, found));
    }
    ++done_.files;
    done_.file_bytes += bytes;
    co_return Status();
  }

  Task<Result<bool>> are_same(const FileKey& key) {
    FLOWSTORE_CO_TRY(const std::string there, co_await digest(source_, key));
    FLOWSTORE_CO_TRY(const std::string here, co_await digest(target_, key));
    co_return there == here;
  }

  Task<Result<std::string>> digest(FileSide& side, const FileKey& key) {
    FLOWSTORE_CO_TRY(auto opened, co_await side.open(key));
    co_return co_await digest_of(std::move(opened.content), session_);
  }

  Task<Result<std::uint64_t>> transfer(const FileKey& key, std::optional<FileStat> found) {
    FLOWSTORE_CO_TRY(auto opened, co_await source_.open(key));
    const auto source = source_of(std::move(opened.content));
    WatchedSource watched(*source, session_);
    FLOWSTORE_CO_TRY_STATUS(co_await target_.put(key, watched, found));
    FLOWSTORE_CO_TRY(const std::string written, co_await digest(target_, key));
    if (written != watched.finish()) {
      co_return Error(
          ErrorKind::internal, "digest",
          "what was read back is not what was written; does something else write there?");
    }
    co_return opened.stat.size;
  }

  // Projects that the source does not know (any more).
  Task<Status> find_extra_projects(const std::vector<ProjectKey>& known) {
    std::set<std::string> names;
    for (const ProjectKey& project : known) names.insert(project.path());
    FLOWSTORE_CO_TRY(const auto there, co_await chosen(target_));
    for (const ProjectKey& project : there) {
      if (names.contains(project.path())) continue;
      auto add = [&](const files::Listing& page) -> Task<Status> {
        for (const files::Entry& entry : page.entries) {
          done_.extra.add(project.path() + "/" + entry.name);
        }
        co_return Status();
      };
      FLOWSTORE_CO_TRY_STATUS(co_await for_each_page(target_, project, session_, add));
    }
    co_return Status();
  }

  FileSide& source_;
  FileSide& target_;
  MigrateOptions options_;
  Session session_;
  Migrated& done_;
};

}  // namespace

Task<Status> migrate_files(FileSide& source, FileSide& target, MigrateOptions options,
                           Session session, Migrated& done) {
  FileMigration migration(source, target, std::move(options), session, done);
  co_return co_await migration.run();
}

}  // namespace flowstore::tools

#include "tools/import.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/digest.h"
#include "tools/archive.h"
#include "tools/file_work.h"
#include "tools/survey.h"

namespace flowstore::tools {
namespace {

using files::FileKey;
using files::FileStat;

// The entry that an archive is at, as a body.
class EntrySource final : public ByteSource {
 public:
  EntrySource(ArchiveReader& reader, std::uint64_t size) : reader_(reader), size_(size) {}

  Task<Result<std::string_view>> next() override { co_return reader_.read(); }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  ArchiveReader& reader_;
  std::uint64_t size_;
};

// One entry that is to be written.
struct Job {
  explicit Job(Surveyed what) : entry(std::move(what)) {}

  Surveyed entry;
  std::optional<FileStat> found;  // of the file that is in its place
};

class Importer {
 public:
  Importer(Stores& stores, ImportOptions options, Session session)
      : stores_(stores), options_(std::move(options)), session_(session) {}

  Task<Status> run() {
    FLOWSTORE_CO_TRY(auto entries, survey(options_.archive, session_));
    FLOWSTORE_CO_TRY_STATUS(choose(entries));
    session_.progress.begin("comparing", std::nullopt);
    for (Surveyed& entry : entries) {
      FLOWSTORE_CO_TRY_STATUS(session_.go_on());
      const bool is_file = std::holds_alternative<FileKey>(entry.place);
      if (is_file) {
        FLOWSTORE_CO_TRY_STATUS(co_await look_at_file(std::move(entry)));
      } else {
        FLOWSTORE_CO_TRY_STATUS(co_await look_at_row(std::move(entry)));
      }
      session_.progress.add_items(1);
    }
    const bool is_done = options_.is_dry_run || !imported.conflicts.empty() || jobs_.empty();
    if (!is_done) FLOWSTORE_CO_TRY_STATUS(co_await write());
    co_return Status();
  }

  Imported imported;

 private:
  // Those of the wanted projects. Context knows no teams.
  Status choose(std::vector<Surveyed>& entries) {
    const std::set<std::string> wanted(options_.projects.begin(), options_.projects.end());
    std::set<std::string> missing = wanted;
    std::map<std::string, std::string> names;
    for (const std::string& name : wanted) names.emplace(id_of(name), name);
    const auto wanted_name = [&](const Place& place) -> std::optional<std::string> {
      if (const auto* key = std::get_if<FileKey>(&place)) {
        if (wanted.contains(key->project().path())) return key->project().path();
        return std::nullopt;
      }
      const auto found = names.find(std::get<context::RowKey>(place).project);
      if (found == names.end()) return std::nullopt;
      return found->second;
    };
    const auto is_unwanted = [&](const Surveyed& entry) {
      if (wanted.empty()) return false;
      const auto name = wanted_name(entry.place);
      if (name) missing.erase(*name);
      return !name;
    };
    std::erase_if(entries, is_unwanted);
    if (missing.empty()) return {};
    return Error(ErrorKind::not_found, "project",
                 options_.archive + ": holds nothing of " + *missing.begin());
  }

  Task<Status> look_at_file(Surveyed entry) {
    const FileKey key = std::get<FileKey>(entry.place);
    Job job(std::move(entry));
    const auto found = co_await stores_.files().find(key);
    if (!found) co_return at(job, found.error());
    job.found = *found;
    bool is_same = false;
    if (job.found && job.found->size == job.entry.size) {
      const auto digest = co_await digest_of(stores_.files(), key, session_);
      if (!digest) co_return at(job, digest.error());
      is_same = *digest == job.entry.digest;
    }
    note(std::move(job), found->has_value(), is_same);
    co_return Status();
  }

  Task<Status> look_at_row(Surveyed entry) {
    const context::RowKey key = std::get<context::RowKey>(entry.place);
    Job job(std::move(entry));
    if (stores_.context() == nullptr) {
      co_return Error(ErrorKind::invalid, "context",
                      job.entry.name + ": the configuration has no context; set context.type");
    }
    const Caller caller;
    const auto values = co_await stores_.context()->read(caller, key);
    if (!values) co_return at(job, values.error());
    const bool is_same = *values && hex(sha256(**values)) == job.entry.digest;
    note(std::move(job), values->has_value(), is_same);
    co_return Status();
  }

  void note(Job job, bool is_there, bool is_same) {
    if (is_same) {
      ++imported.same;
      return;
    }
    if (is_there && !options_.replaces) imported.conflicts.push_back(job.entry.name);
    if (options_.is_dry_run) count(job.entry);
    std::string name = job.entry.name;
    bytes_ += job.entry.size;
    jobs_.emplace(std::move(name), std::move(job));
  }

  void count(const Surveyed& entry) {
    if (std::holds_alternative<FileKey>(entry.place)) {
      ++imported.files;
      imported.file_bytes += entry.size;
    } else {
      ++imported.scopes;
    }
  }

  Task<Status> write() {
    FLOWSTORE_CO_TRY(ArchiveReader reader, ArchiveReader::open(options_.archive));
    session_.progress.begin("importing", bytes_);
    while (!jobs_.empty()) {
      FLOWSTORE_CO_TRY_STATUS(session_.go_on());
      FLOWSTORE_CO_TRY(const auto entry, reader.next());
      if (!entry) co_return changed();
      const auto job = jobs_.find(entry->name);
      if (job == jobs_.end()) continue;
      FLOWSTORE_CO_TRY_STATUS(co_await write_one(reader, job->second));
      count(job->second.entry);
      session_.progress.add_items(1);
      jobs_.erase(job);
    }
    co_return Status();
  }

  Task<Status> write_one(ArchiveReader& reader, const Job& job) {
    const auto* key = std::get_if<FileKey>(&job.entry.place);
    if (key == nullptr) co_return co_await write_row(reader, job);
    EntrySource body(reader, job.entry.size);
    const auto written =
        co_await put_file(stores_.files(), *key, body, job.found, job.entry.digest, session_);
    if (written) co_return Status();
    if (written.error().code() == "digest") co_return changed();
    co_return at(job, written.error());
  }

  Task<Status> write_row(ArchiveReader& reader, const Job& job) {
    std::string values;
    while (true) {
      FLOWSTORE_CO_TRY(const std::string_view piece, reader.read());
      if (piece.empty()) break;
      if (values.size() + piece.size() > job.entry.size) co_return changed();
      values += piece;
      session_.progress.add_bytes(piece.size());
    }
    if (hex(sha256(values)) != job.entry.digest) co_return changed();
    const Caller caller;
    const auto& key = std::get<context::RowKey>(job.entry.place);
    context::NewValues given(std::move(values));
    const Status written =
        co_await stores_.context()->replace(caller, key, std::move(given), std::nullopt);
    if (!written) co_return at(job, written.error());
    co_return Status();
  }

  Error changed() const {
    return Error(ErrorKind::conflict, "archive",
                 options_.archive + ": was changed while it was read; import it again");
  }

  static Error at(const Job& job, const Error& error) {
    if (error.kind() == ErrorKind::aborted) return error;
    return Error(error.kind(), error.code(), job.entry.name + ": " + error.message());
  }

  Stores& stores_;
  ImportOptions options_;
  Session session_;
  std::map<std::string, Job> jobs_;  // by the name in the archive
  std::uint64_t bytes_ = 0;
};

}  // namespace

Task<Result<Imported>> import_archive(Stores& stores, ImportOptions options, Session session) {
  Importer importer(stores, std::move(options), session);
  FLOWSTORE_CO_TRY_STATUS(co_await importer.run());
  co_return std::move(importer.imported);
}

}  // namespace flowstore::tools

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "files/localfs/localfs_store.h"
#include "files/memory/memory_store.h"
#include "isolation/grounds.h"
#include "isolation/hostile.h"
#include "support/bodies.h"
#include "support/file_log.h"
#include "support/run.h"
#include "support/s3_bucket.h"

namespace flowstore::isolation {
namespace {

namespace fs = std::filesystem;

// Nobody can look into it but the driver itself: what each victim has, and which projects there
// are in their teams.
class MemoryFiles final : public FileGround {
 public:
  files::FileStore& store() override { return store_; }

  Belongings others(Reach reach) override {
    Belongings all;
    for (const Place& place : kVictims) {
      add_files(all, place);
      add_projects(all, place.team, reach);
    }
    return all;
  }

  std::vector<std::string> secret_words() const override { return {}; }

 private:
  void add_files(Belongings& all, Place place) {
    const auto project = *files::ProjectKey::parse(place.team, place.project);
    const auto folder = *files::FileKey::parse(project, "");
    files::ListOptions options;
    options.is_recursive = true;
    const auto listing = run(store_.list(folder, options));
    if (!listing) throw std::runtime_error(listing.error().message());
    for (const files::Entry& entry : listing->entries) {
      const auto key = *files::FileKey::parse(project, entry.name);
      const auto file = run(store_.open(key, files::Reading::all));
      all[key.path()] = file ? file->stat.etag + bytes_of(file->content) : "cannot be read";
    }
  }

  void add_projects(Belongings& all, std::string_view team, Reach reach) {
    const auto projects = run(store_.projects(team));
    if (!projects) throw std::runtime_error(projects.error().message());
    for (const files::ProjectKey& project : *projects) {
      if (!is_attackers(team, project.project(), reach)) all[project.path()] = "project";
    }
  }

  SystemClock clock_;
  files::memory::Store store_{std::uint64_t{1} << 28U, clock_};
};

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Folders by what they are, files by all that a change would show in.
std::string description_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return "vanished";
  if (S_ISLNK(status.st_mode)) return "link to " + fs::read_symlink(path).string();
  const std::string kind = std::to_string(status.st_mode);
  if (!S_ISREG(status.st_mode)) return kind;
  return kind + " " + std::to_string(status.st_ino) + " " + std::to_string(status.st_mtim.tv_sec) +
         "." + std::to_string(status.st_mtim.tv_nsec) + " " + content_of(path);
}

class LocalFiles final : public LocalGround {
 public:
  LocalFiles(files::localfs::Resolution resolution, files::localfs::Durability durability) {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error(folder_);
    std::ofstream(at("beside.txt")) << kMarker;
    files::localfs::Options options;
    options.root = at("files");
    options.resolution = resolution;
    options.durability = durability;
    auto made = files::localfs::Store::make(options, io_, clock_, log_, registry_);
    if (!made) throw std::runtime_error(made.error().message());
    store_ = *std::move(made);
    if (durability == files::localfs::Durability::strict) wait_for_log(*store_, registry_);
  }
  ~LocalFiles() override {
    store_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  files::FileStore& store() override { return *store_; }
  std::string at(const std::string& path) const override { return folder_ + "/" + path; }

  Belongings others(Reach reach) override {
    Belongings all;
    for (auto entry = fs::recursive_directory_iterator(folder_);
         entry != fs::recursive_directory_iterator(); ++entry) {
      const fs::path path = entry->path().lexically_relative(folder_);
      const std::vector<std::string> parts(path.begin(), path.end());
      const bool is_below_root = parts.size() > 1 && parts[0] == "files";
      // The log says what the attackers have done.
      if (is_below_root && parts[1] == ".flowstore") {
        entry.disable_recursion_pending();
        continue;
      }
      if (is_below_root && parts.size() == 3 && is_attackers(parts[1], parts[2], reach)) {
        entry.disable_recursion_pending();
        continue;
      }
      // The attacker's own folder may be the first of a team.
      const bool may_be_made = is_below_root && parts.size() == 2 && reach == Reach::any_team;
      if (!may_be_made) all[path.string()] = description_of(entry->path());
    }
    return all;
  }

  std::vector<std::string> secret_words() const override {
    return {fs::path(folder_).filename().string(), ".flowstore/tmp/", ".flowstore/wal/"};
  }

 private:
  std::string folder_ = testing::TempDir() + "/isolation-XXXXXX";
  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  BlockingPool io_{2};
  std::unique_ptr<files::localfs::Store> store_;
};

class S3Files final : public FileGround {
 public:
  files::FileStore& store() override { return *store_; }

  Belongings others(Reach reach) override {
    Belongings all;
    const Status listed = run(list(all, reach));
    if (!listed) throw std::runtime_error(listed.error().message());
    return all;
  }

  std::vector<std::string> secret_words() const override {
    return {bucket_.name(), "testkey", "127.0.0.1"};
  }

 private:
  Task<Status> list(Belongings& all, Reach reach) {
    files::s3::Client client = bucket_.client();
    files::s3::Objects objects(client);
    const files::s3::ListQuery everything;
    auto add = [&](const files::s3::ObjectPage& page) -> Task<Status> {
      for (const files::s3::Listed& object : page.objects) add_object(all, object, reach);
      co_return Status();
    };
    const files::s3::OnPage on_page = add;
    co_return co_await files::s3::for_each_page(objects, everything, on_page);
  }

  static void add_object(Belongings& all, const files::s3::Listed& object, Reach reach) {
    const std::string_view key = object.key;
    const std::size_t first = std::min(key.find('/'), key.size());
    const std::size_t second = std::min(key.find('/', first + 1), key.size());
    const std::string_view project =
        second > first ? key.substr(first + 1, second - first - 1) : std::string_view();
    if (is_attackers(key.substr(0, first), project, reach)) return;
    all[object.key] = std::to_string(object.size) + " " +
                      std::to_string(object.modified.time_since_epoch().count());
  }

  files::s3::Bucket bucket_;
  std::unique_ptr<files::s3::Store> store_ = bucket_.store();
};

}  // namespace

bool is_attackers(std::string_view team, std::string_view project, Reach reach) {
  return project == kAttacker.project && (reach == Reach::any_team || team == kAttacker.team);
}

std::unique_ptr<FileGround> memory_files() { return std::make_unique<MemoryFiles>(); }

std::unique_ptr<LocalGround> local_files(files::localfs::Resolution resolution,
                                         files::localfs::Durability durability) {
  return std::make_unique<LocalFiles>(resolution, durability);
}

std::unique_ptr<FileGround> s3_files() { return std::make_unique<S3Files>(); }

}  // namespace flowstore::isolation

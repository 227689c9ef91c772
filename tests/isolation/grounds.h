// Grounds: the stores that a House stands on, and what is really in them.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "context/context_store.h"
#include "files/file_store.h"
#include "files/localfs/disk.h"

namespace flowstore::isolation {

// Everything that is kept somewhere, by what it is called there: contents, and whatever else a
// change of it would change.
using Belongings = std::map<std::string, std::string>;

// Under which teams the attacker's token works: its own, or any, as the platform's tokens do.
enum class Reach : std::uint8_t { own_team, any_team };

// Whether the attacker may keep something there.
bool is_attackers(std::string_view team, std::string_view project, Reach reach);

// A file store, and a look at it from outside where there is an outside.
class FileGround {
 public:
  virtual ~FileGround() = default;

  virtual files::FileStore& store() = 0;
  // All that is not the attacker's.
  virtual Belongings others(Reach reach) = 0;
  // Words that would tell where the files lie. No client knows them.
  virtual std::vector<std::string> secret_words() const = 0;
};

// The same for context.
class ContextGround {
 public:
  virtual ~ContextGround() = default;

  virtual context::ContextStore& store() = 0;
  virtual Belongings others() = 0;
  virtual std::vector<std::string> secret_words() const = 0;
};

// Files in a folder `files`, which lies in a folder of the test's beside other files.
class LocalGround : public FileGround {
 public:
  // "<the test's folder>/<path>".
  virtual std::string at(const std::string& path) const = 0;
};

std::unique_ptr<FileGround> memory_files();
std::unique_ptr<LocalGround> local_files(files::localfs::Resolution resolution,
                                         files::localfs::Durability durability);
std::unique_ptr<FileGround> s3_files();

std::unique_ptr<ContextGround> memory_context();
std::unique_ptr<ContextGround> sqlite_context();
std::unique_ptr<ContextGround> postgres_context();

}  // namespace flowstore::isolation

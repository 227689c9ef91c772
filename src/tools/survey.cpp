// Blocks: reads files.

#include "tools/survey.h"

#include <set>
#include <utility>

#include "base/digest.h"
#include "tools/archive.h"

namespace flowstore::tools {
namespace {

// What an archive can make us keep in memory by tiny entries: about 3 GiB.
constexpr std::size_t kMostEntries = 10'000'000;
constexpr std::uint64_t kLongestManifest = 1U << 20U;
// Of SHA256SUMS: the longest name, each of its bytes escaped, and the digest.
constexpr std::size_t kLongestLine = 16'384;

class Surveyor {
 public:
  Surveyor(std::string archive, Session session)
      : archive_(std::move(archive)), session_(session) {}

  Result<std::vector<Surveyed>> run() {
    FLOWSTORE_TRY(ArchiveReader reader, ArchiveReader::open(archive_));
    session_.progress.begin("checking the archive", std::nullopt);
    while (true) {
      FLOWSTORE_TRY_STATUS(session_.go_on());
      FLOWSTORE_TRY(const auto entry, reader.next());
      if (!entry) break;
      FLOWSTORE_TRY_STATUS(take(reader, *entry));
      session_.progress.add_items(1);
    }
    FLOWSTORE_TRY_STATUS(compare());
    return std::move(found_);
  }

 private:
  Error bad(const std::string& name, const std::string& why) const {
    return Error(ErrorKind::invalid, "archive", archive_ + ": " + name + ": " + why);
  }

  Status take(ArchiveReader& reader, const ArchiveEntry& entry) {
    if (entry.kind == ArchiveEntry::Kind::folder) return {};
    if (entry.kind != ArchiveEntry::Kind::file) {
      return bad(entry.name, "is a link, a device or the like; nothing was imported");
    }
    if (!names_.insert(entry.name).second) return bad(entry.name, "is there twice");
    if (names_.size() > kMostEntries) {
      return bad(entry.name, "is one entry too many; export fewer projects at a time");
    }
    if (entry.name == kSumsName) return read_sums(reader);
    std::uint64_t most = UINT64_MAX;
    if (entry.name == kManifestName) most = kLongestManifest;
    if (entry.name.starts_with("context/")) most = kLongestValues;
    FLOWSTORE_TRY(const std::string digest, digest_of_entry(reader, entry, most));
    if (entry.name == kManifestName) {
      manifest_digest_ = digest;
      return {};
    }
    auto place = place_of(entry.name);
    if (!place) return bad(entry.name, "is no name that flowstore gives to an entry");
    found_.emplace_back(*std::move(place), entry.name, digest, entry.size);
    return {};
  }

  Result<std::string> digest_of_entry(ArchiveReader& reader, const ArchiveEntry& entry,
                                      std::uint64_t most) {
    Digest digest(Digest::Algorithm::sha256);
    std::uint64_t size = 0;
    while (true) {
      FLOWSTORE_TRY_STATUS(session_.go_on());
      FLOWSTORE_TRY(const std::string_view piece, reader.read());
      if (piece.empty()) break;
      size += piece.size();
      if (size > most) return bad(entry.name, "is too long");
      digest.add(piece);
      session_.progress.add_bytes(piece.size());
    }
    if (size != entry.size) return bad(entry.name, "is cut off");
    return digest.finish_in_hex();
  }

  Status read_sums(ArchiveReader& reader) {
    has_sums_ = true;
    std::string line;
    while (true) {
      FLOWSTORE_TRY(const std::string_view piece, reader.read());
      if (piece.empty()) break;
      for (const char c : piece) {
        if (c != '\n') {
          line += c;
          if (line.size() > kLongestLine) return bad(std::string(kSumsName), "has too long a line");
          continue;
        }
        FLOWSTORE_TRY_STATUS(take_sum(line));
        line.clear();
      }
    }
    return line.empty() ? Status() : Status(bad(std::string(kSumsName), "is cut off"));
  }

  Status take_sum(const std::string& line) {
    auto sum = parse_sum_line(line);
    if (!sum) return bad(std::string(kSumsName), "has a line that is none: " + line);
    const bool is_new = sums_.emplace(sum->name, sum->digest).second;
    if (!is_new) return bad(sum->name, "has two sums");
    if (sums_.size() > kMostEntries) return bad(std::string(kSumsName), "has too many lines");
    return {};
  }

  Status compare() {
    if (!manifest_digest_) {
      return bad(std::string(kManifestName), "is missing; was this made by flowstore export?");
    }
    if (!has_sums_) return bad(std::string(kSumsName), "is missing: the archive is cut off");
    FLOWSTORE_TRY_STATUS(compare(std::string(kManifestName), *manifest_digest_));
    for (const Surveyed& one : found_) FLOWSTORE_TRY_STATUS(compare(one.name, one.digest));
    if (!sums_.empty()) return bad(sums_.begin()->first, "is missing from the archive");
    return {};
  }

  Status compare(const std::string& name, const std::string& digest) {
    const auto sum = sums_.find(name);
    if (sum == sums_.end()) return bad(name, "is not in " + std::string(kSumsName));
    if (sum->second != digest) {
      return bad(name, "is damaged: its SHA-256 is not that of " + std::string(kSumsName));
    }
    sums_.erase(sum);
    return {};
  }

  std::string archive_;
  Session session_;
  std::vector<Surveyed> found_;
  std::set<std::string> names_;
  std::map<std::string, std::string> sums_;
  std::optional<std::string> manifest_digest_;
  bool has_sums_ = false;
};

}  // namespace

Result<std::vector<Surveyed>> survey(const std::string& archive, Session session) {
  return Surveyor(archive, session).run();
}

}  // namespace flowstore::tools

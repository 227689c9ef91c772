// Blocks: reads and writes files.

#include "tools/archive.h"

#include <new>
#include <utility>

#include <sys/stat.h>

#include "tools/libarchive.h"

namespace flowstore::tools {
namespace {

constexpr std::size_t kPiece = 256 * 1024;
constexpr mode_t kMode = 0600;  // what tenants wrote is for nobody else on this machine

struct FreeEntry {
  void operator()(archive_entry* entry) const noexcept { libarchive()->entry_free(entry); }
};

Error unreadable(const std::string& message) {
  return Error(ErrorKind::invalid, "archive", message);
}

Error not_installed() {
  return {ErrorKind::unavailable, "archive",
          "archives need the library " FLOWSTORE_LIBARCHIVE "; install it (libarchive13)"};
}

std::string reason_of(archive* side) {
  const char* const text = libarchive()->error_string(side);
  return text != nullptr ? text : "unknown reason";
}

ArchiveEntry::Kind kind_of(archive_entry* entry) {
  const bool is_link = libarchive()->entry_hardlink(entry) != nullptr ||
                       libarchive()->entry_symlink(entry) != nullptr;
  const auto type = libarchive()->entry_filetype(entry);
  // A sparse file may claim any size without a byte behind it.
  const bool is_whole =
      libarchive()->entry_sparse_count(entry) == 0 && libarchive()->entry_size(entry) >= 0;
  if (type == AE_IFDIR && !is_link) return ArchiveEntry::Kind::folder;
  if (type == AE_IFREG && !is_link && is_whole) return ArchiveEntry::Kind::file;
  return ArchiveEntry::Kind::other;
}

}  // namespace

void ArchiveWriter::Free::operator()(archive* writer) const noexcept {
  libarchive()->write_free(writer);
}

Error ArchiveWriter::trouble() const {
  return Error(ErrorKind::no_space, "archive",
               "the archive cannot be written: " + reason_of(writer_.get()));
}

Result<ArchiveWriter> ArchiveWriter::to(int file) {
  if (libarchive() == nullptr) return not_installed();
  ArchiveWriter made(libarchive()->write_new());
  archive* const writer = made.writer_.get();
  if (writer == nullptr) throw std::bad_alloc();
  const bool is_open = libarchive()->write_set_format_pax_restricted(writer) == ARCHIVE_OK &&
                       libarchive()->write_add_filter_zstd(writer) == ARCHIVE_OK &&
                       libarchive()->write_set_bytes_in_last_block(writer, 1) == ARCHIVE_OK &&
                       libarchive()->write_open_fd(writer, file) == ARCHIVE_OK;
  if (!is_open) return made.trouble();
  return made;
}

Status ArchiveWriter::begin(const std::string& name, std::uint64_t size,
                            std::chrono::system_clock::time_point modified) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(libarchive()->entry_new());
  if (!entry) throw std::bad_alloc();
  libarchive()->entry_set_pathname(entry.get(), name.c_str());
  libarchive()->entry_set_filetype(entry.get(), AE_IFREG);
  libarchive()->entry_set_perm(entry.get(), kMode);
  libarchive()->entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(modified.time_since_epoch());
  libarchive()->entry_set_mtime(entry.get(), seconds.count(), 0);
  // A warning says that a name cannot be shown in this locale; it is written byte for byte.
  if (libarchive()->write_header(writer_.get(), entry.get()) < ARCHIVE_WARN) return trouble();
  return {};
}

Status ArchiveWriter::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const la_ssize_t written = libarchive()->write_data(writer_.get(), bytes.data(), bytes.size());
    // 0: more than the entry was announced with.
    if (written <= 0) return trouble();
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status ArchiveWriter::put(const std::string& name, std::string_view bytes,
                          std::chrono::system_clock::time_point modified) {
  FLOWSTORE_TRY_STATUS(begin(name, bytes.size(), modified));
  return add(bytes);
}

Status ArchiveWriter::finish() {
  if (libarchive()->write_close(writer_.get()) != ARCHIVE_OK) return trouble();
  return {};
}

void ArchiveReader::Free::operator()(archive* reader) const noexcept {
  libarchive()->read_free(reader);
}

ArchiveReader::ArchiveReader(archive* reader, std::string path)
    : reader_(reader), path_(std::move(path)), buffer_(kPiece, '\0') {}

Error ArchiveReader::trouble() const {
  const std::string where = path_ + ": " + where_;
  return unreadable(where + ": " + reason_of(reader_.get()));
}

Result<ArchiveReader> ArchiveReader::open(const std::string& path) {
  if (libarchive() == nullptr) return not_installed();
  ArchiveReader made(libarchive()->read_new(), path);
  archive* const reader = made.reader_.get();
  if (reader == nullptr) throw std::bad_alloc();
  const bool is_open = libarchive()->read_support_format_tar(reader) == ARCHIVE_OK &&
                       libarchive()->read_support_filter_zstd(reader) == ARCHIVE_OK &&
                       libarchive()->read_open_filename(reader, path.c_str(), kPiece) == ARCHIVE_OK;
  if (!is_open) return made.trouble();
  return made;
}

Result<std::optional<ArchiveEntry>> ArchiveReader::next() {
  archive_entry* header = nullptr;
  if (!where_.starts_with("behind ")) where_ = "behind " + where_;
  const int code = libarchive()->read_next_header(reader_.get(), &header);
  if (code == ARCHIVE_EOF) return std::optional<ArchiveEntry>();
  // A warning is about a header that it did not understand as a whole; neither should we.
  if (code != ARCHIVE_OK) return trouble();
  const char* name = libarchive()->entry_pathname(header);
  if (name == nullptr) name = libarchive()->entry_pathname_utf8(header);
  if (name == nullptr) return unreadable(path_ + ": an entry has no name");
  ArchiveEntry entry;
  entry.name = name;
  entry.kind = kind_of(header);
  entry.size = static_cast<std::uint64_t>(libarchive()->entry_size(header));
  where_ = entry.name;
  return std::optional<ArchiveEntry>(std::move(entry));
}

Result<std::string_view> ArchiveReader::read() {
  const la_ssize_t count = libarchive()->read_data(reader_.get(), buffer_.data(), buffer_.size());
  if (count < 0) return trouble();
  return std::string_view(buffer_).substr(0, static_cast<std::size_t>(count));
}

}  // namespace flowstore::tools

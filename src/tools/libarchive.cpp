#include "tools/libarchive.h"

#include <memory>

#include <dlfcn.h>

namespace flowstore::tools {
namespace {

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
}

// All of them are older than the version that the name stands for.
std::unique_ptr<const LibArchive> load() {
  void* const library = ::dlopen(FLOWSTORE_LIBARCHIVE, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  auto found = std::make_unique<LibArchive>();
  find(library, "archive_error_string", found->error_string);
  find(library, "archive_entry_new", found->entry_new);
  find(library, "archive_entry_free", found->entry_free);
  find(library, "archive_entry_filetype", found->entry_filetype);
  find(library, "archive_entry_hardlink", found->entry_hardlink);
  find(library, "archive_entry_pathname", found->entry_pathname);
  find(library, "archive_entry_pathname_utf8", found->entry_pathname_utf8);
  find(library, "archive_entry_size", found->entry_size);
  find(library, "archive_entry_sparse_count", found->entry_sparse_count);
  find(library, "archive_entry_symlink", found->entry_symlink);
  find(library, "archive_entry_set_filetype", found->entry_set_filetype);
  find(library, "archive_entry_set_mtime", found->entry_set_mtime);
  find(library, "archive_entry_set_pathname", found->entry_set_pathname);
  find(library, "archive_entry_set_perm", found->entry_set_perm);
  find(library, "archive_entry_set_size", found->entry_set_size);
  find(library, "archive_read_new", found->read_new);
  find(library, "archive_read_free", found->read_free);
  find(library, "archive_read_data", found->read_data);
  find(library, "archive_read_next_header", found->read_next_header);
  find(library, "archive_read_open_filename", found->read_open_filename);
  find(library, "archive_read_support_filter_zstd", found->read_support_filter_zstd);
  find(library, "archive_read_support_format_tar", found->read_support_format_tar);
  find(library, "archive_write_new", found->write_new);
  find(library, "archive_write_free", found->write_free);
  find(library, "archive_write_add_filter_zstd", found->write_add_filter_zstd);
  find(library, "archive_write_close", found->write_close);
  find(library, "archive_write_data", found->write_data);
  find(library, "archive_write_header", found->write_header);
  find(library, "archive_write_open_fd", found->write_open_fd);
  find(library, "archive_write_set_bytes_in_last_block", found->write_set_bytes_in_last_block);
  find(library, "archive_write_set_format_pax_restricted", found->write_set_format_pax_restricted);
  return found;
}

}  // namespace

const LibArchive* libarchive() {
  static const std::unique_ptr<const LibArchive> loaded = load();
  return loaded.get();
}

}  // namespace flowstore::tools

// The routes under /v1/files: words of HTTP in, calls to the file service, answers out.

#pragma once

#include <cstdint>
#include <optional>

#include "api/route.h"
#include "auth/token_verifier.h"
#include "base/blocking_pool.h"
#include "base/task.h"
#include "files/file_service.h"
#include "http/handler.h"

namespace flowstore::api {

// Rules that hold where the token's grant says nothing.
struct FileRules {
  std::optional<std::uint64_t> default_quota;  // driver.quota, bytes
  std::optional<std::uint64_t> max_file_size;  // limits.file, bytes
};

// Serves requests whose token has been accepted. Safe to use from any thread.
class FileRoutes {
 public:
  // Both must outlive the routes. Long bodies that mean nothing are parsed on `pool`.
  FileRoutes(files::FileService& files, FileRules rules, BlockingPool& pool)
      : files_(files), rules_(rules), pool_(pool) {}

  // GET and HEAD: a file, a part of it, or with ?list a folder.
  Task<http::Response> read(const http::Request& request, const Route& route);
  // The same answer if it can be given without waiting for the store; nothing otherwise.
  std::optional<http::Response> read_now(const http::Request& request, const Route& route);

  // POST: replaces, or as the header FF_MODE says appends or ensures a folder.
  Task<http::Response> write(http::Request& request, const Route& route, const auth::Grant& grant);

  // DELETE: one file, or with ?recursive a folder. A body is looked at first, and means nothing.
  Task<http::Response> remove(http::Request& request, const Route& route);

 private:
  Task<http::Response> list(const http::Request& request, const files::FileKey& folder);

  Task<Status> remove_tree(const files::FileKey& folder, const files::Preconditions& conditions);

  files::FileService& files_;
  FileRules rules_;
  BlockingPool& pool_;
};

}  // namespace flowstore::api

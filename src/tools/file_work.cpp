#include "tools/file_work.h"

#include <utility>

#include "tools/content_source.h"

namespace flowstore::tools {

Task<Result<std::string>> digest_of(Content content, Session session) {
  const auto source = source_of(std::move(content));
  Digest digest(Digest::Algorithm::sha256);
  while (true) {
    FLOWSTORE_CO_TRY_STATUS(session.go_on());
    FLOWSTORE_CO_TRY(const std::string_view piece, co_await source->next());
    if (piece.empty()) co_return digest.finish_in_hex();
    digest.add(piece);
  }
}

Task<Result<std::optional<std::string>>> digest_of(files::FileStore& store,
                                                   const files::FileKey& key, Session session) {
  auto opened = co_await store.open(key, files::Reading::all);
  if (!opened) {
    if (opened.error().kind() != ErrorKind::not_found) co_return opened.error();
    co_return std::optional<std::string>();
  }
  FLOWSTORE_CO_TRY(auto digest, co_await digest_of(std::move(opened->content), session));
  co_return std::optional<std::string>(std::move(digest));
}

Task<Result<std::string_view>> WatchedSource::next() {
  FLOWSTORE_CO_TRY_STATUS(session_.go_on());
  FLOWSTORE_CO_TRY(const std::string_view piece, co_await body_.next());
  digest_.add(piece);
  session_.progress.add_bytes(piece.size());
  co_return piece;
}

Task<Result<std::string>> put_file(files::FileStore& store, const files::FileKey& key,
                                   ByteSource& body, std::optional<files::FileStat> found,
                                   std::optional<std::string> digest, Session session) {
  WatchedSource watched(body, session);
  FLOWSTORE_CO_TRY(const auto upload,
                   co_await store.receive(key, watched, files::WriteMode::replace));
  std::string written = watched.finish();
  if (digest && written != *digest) {
    co_return Error(ErrorKind::invalid, "digest", "the bytes are not those that were announced");
  }
  const files::Expected expected(found);
  FLOWSTORE_CO_TRY_STATUS(co_await upload->commit(expected));
  co_return written;
}

}  // namespace flowstore::tools

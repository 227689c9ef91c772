// What export, import and migrate do with one file.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/byte_source.h"
#include "base/content.h"
#include "base/digest.h"
#include "files/file_store.h"
#include "tools/session.h"

namespace flowstore::tools {

// The SHA-256, in hex, of all bytes of a file that was opened. Counts no progress.
Task<Result<std::string>> digest_of(Content content, Session session);
// The same of the file of that name; nothing where there is no file.
Task<Result<std::optional<std::string>>> digest_of(files::FileStore& store,
                                                   const files::FileKey& key, Session session);

// A body on its way: its bytes go through, and are counted, digested and shown as progress. Ends
// with an error of kind aborted when somebody asks to stop. `body` must outlive it.
class WatchedSource final : public ByteSource {
 public:
  WatchedSource(ByteSource& body, Session session) : body_(body), session_(session) {}

  Task<Result<std::string_view>> next() override;
  std::optional<std::uint64_t> size() const override { return body_.size(); }

  // The SHA-256 of all bytes so far, in hex. Once.
  std::string finish() { return digest_.finish_in_hex(); }

 private:
  ByteSource& body_;
  Session session_;
  Digest digest_{Digest::Algorithm::sha256};
};

// Puts the body in the place of what `found` says is there, whole or not at all: only if all of it
// came, and its digest is `digest` where one is given. Returns the digest of what it wrote.
// Conflict: somebody changed the file meanwhile.
Task<Result<std::string>> put_file(files::FileStore& store, const files::FileKey& key,
                                   ByteSource& body, std::optional<files::FileStat> found,
                                   std::optional<std::string> digest, Session session);

}  // namespace flowstore::tools

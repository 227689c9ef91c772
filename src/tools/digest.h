// Digest: the SHA-256 of bytes that come in pieces.

#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace flowstore::tools {

class Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept = default;

  void add(std::string_view bytes);
  // 64 lower-case hex digits, as sha256sum shows it. Nothing may be added afterwards.
  std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace flowstore::tools

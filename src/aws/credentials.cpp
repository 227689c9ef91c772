#include "aws/credentials.h"

#include <utility>

namespace flowstore::aws {
namespace {

class FixedCredentials final : public CredentialsProvider {
 public:
  explicit FixedCredentials(Credentials credentials)
      : credentials_(std::make_shared<const Credentials>(std::move(credentials))) {}

  Task<Result<std::shared_ptr<const Credentials>>> get() override { co_return credentials_; }
  void refused(const Credentials& /*credentials*/) override {}
  std::string source() const override { return "configuration"; }

 private:
  std::shared_ptr<const Credentials> credentials_;
};

}  // namespace

std::unique_ptr<CredentialsProvider> fixed_credentials(Credentials credentials) {
  return std::make_unique<FixedCredentials>(std::move(credentials));
}

}  // namespace flowstore::aws

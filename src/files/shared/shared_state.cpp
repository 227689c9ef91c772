#include "files/shared/shared_state.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace flowstore::files::shared {
namespace {

// Statements are short, and many are under way on each.
constexpr std::size_t kConnections = 4;

}  // namespace

Result<std::unique_ptr<SharedState>> SharedState::make(const postgres::Options& options,
                                                       std::string bucket,
                                                       const Executor& background,
                                                       const Clock& clock, Log& log,
                                                       metrics::Registry& registry) {
  FLOWSTORE_TRY(auto tls, postgres::Tls::make(options, std::getenv("NODE_EXTRA_CA_CERTS")));
  postgres::Options own = options;
  own.connections = std::min(options.connections, kConnections);
  return std::make_unique<SharedState>(own, std::move(tls), std::move(bucket), background, clock,
                                       log, registry);
}

}  // namespace flowstore::files::shared

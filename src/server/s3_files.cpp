#include "server/s3_files.h"

#include <utility>

#include "aws/credentials_chain.h"

namespace flowstore::server {
namespace {

constexpr const char* kDefaultRegion = "us-east-1";
// Both to the store in all; a request of ours needs one at a time.
constexpr std::size_t kConnections = 256;
constexpr std::size_t kIdleConnections = 64;

http::ConnectorOptions connector_options() {
  http::ConnectorOptions options;
  options.max_connections = kConnections;
  options.max_idle = kIdleConnections;
  return options;
}

aws::Credentials fixed(const config::S3Config& config) {
  aws::Credentials credentials;
  credentials.access_key_id = config.access_key_id.reveal();
  credentials.secret_access_key = config.secret_access_key;
  credentials.session_token = config.session_token.reveal();
  return credentials;
}

files::s3::Options store_options(const config::S3Config& config, std::string region) {
  files::s3::Options options;
  options.bucket = config.bucket;
  options.region = std::move(region);
  options.endpoint = config.endpoint;
  options.force_path_style = config.force_path_style;
  return options;
}

std::string region_for(const config::S3Config& config) {
  if (!config.region.empty()) return config.region;
  return aws::region_of(aws::process_environment).value_or(kDefaultRegion);
}

}  // namespace

S3Files::S3Files(const config::S3Config& config, const Executor& background, const Clock& clock,
                 Log& log)
    : trust_(http::Trust::of_environment()), connector_(trust_, connector_options()) {
  if (!trust_.warning().empty()) log.warn(trust_.warning());
  if (!config.access_key_id.empty()) {
    credentials_ = aws::fixed_credentials(fixed(config));
    return;
  }
  aws::SourceOptions sources;
  sources.region = region_for(config);
  credentials_ = std::make_unique<aws::CredentialsChain>(std::move(sources), connector_, background,
                                                         clock, log);
}

Result<std::unique_ptr<S3Files>> S3Files::make(const config::S3Config& config,
                                               files::KeyLocks* locks, const Executor& background,
                                               const Clock& clock, Log& log,
                                               metrics::Registry& registry) {
  std::unique_ptr<S3Files> made(new S3Files(config, background, clock, log));
  const files::s3::Surroundings with{made->connector_, *made->credentials_, locks, clock, log,
                                     registry};
  FLOWSTORE_TRY(made->store_,
                files::s3::Store::make(store_options(config, region_for(config)), with));
  return made;
}

}  // namespace flowstore::server

// Sources: the places in which AWS' own tools look for credentials.

#pragma once

#include <string>

#include "aws/credentials.h"
#include "aws/surroundings.h"
#include "base/result.h"
#include "base/task.h"
#include "http/connector.h"

namespace flowstore::aws {

struct SourceOptions {
  SourceOptions() = default;

  Environment environment = process_environment;
  std::string region = "us-east-1";  // of the token service
  // Where those services are that have fixed addresses; other ones for tests.
  std::string container_service = "http://169.254.170.2";
  std::string metadata_service = "http://169.254.169.254";
};

// Each asks its place once. not_found: it is not set up, and the message says what is not there;
// unavailable: it is, but gives none. Messages hold no secrets. All references must outlive the
// task.

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
Task<Result<Credentials>> from_environment(http::Connector& connector,
                                           const SourceOptions& options);

// The profile of AWS_PROFILE in ~/.aws: keys, or a role for a web identity.
Task<Result<Credentials>> from_profile(http::Connector& connector, const SourceOptions& options);

// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, as Kubernetes on AWS sets them (IRSA). The file is
// read anew each time.
Task<Result<Credentials>> from_web_identity(http::Connector& connector,
                                            const SourceOptions& options);

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or ..._FULL_URI: ECS, and pod identities of EKS.
Task<Result<Credentials>> from_container(http::Connector& connector, const SourceOptions& options);

// The metadata service of EC2, version 2.
Task<Result<Credentials>> from_metadata(http::Connector& connector, const SourceOptions& options);

}  // namespace flowstore::aws

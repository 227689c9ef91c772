// What /ready says about the services behind this one.

#pragma once

#include <string_view>

#include "api/readiness.h"
#include "auth/platform_verifier.h"
#include "context/context_store.h"
#include "files/file_store.h"

namespace flowstore::server {

// The arguments must outlive what is made of them.
api::Dependency dependency_on(auth::PlatformVerifier& platform);
api::Dependency dependency_on(files::FileStore& store);
api::Dependency dependency_on(context::ContextStore& store, std::string_view driver);

}  // namespace flowstore::server

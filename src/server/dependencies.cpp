#include "server/dependencies.h"

namespace flowstore::server {

// Not needed: a platform that is out is out for every process, and those who are known go on.
api::Dependency dependency_on(auth::PlatformVerifier& platform) {
  api::Dependency dependency;
  dependency.name = "platform";
  dependency.is_needed = false;
  dependency.complaint =
      "It does not answer; tokens that it accepted before go on working for a while.";
  dependency.outage = &platform.outage();
  dependency.probe = [&platform] { return platform.probe(); };
  return dependency;
}

api::Dependency dependency_on(files::FileStore& store) {
  api::Dependency dependency;
  dependency.name = "files";
  dependency.driver = store.name();
  dependency.was_opened = store.name() != "s3";
  dependency.complaint = "It cannot be used; requests for files fail until it can.";
  dependency.outage = store.outage();
  dependency.probe = [&store] { return store.probe(); };
  return dependency;
}

api::Dependency dependency_on(context::ContextStore& store, std::string_view driver) {
  api::Dependency dependency;
  dependency.name = "context";
  dependency.driver = driver;
  dependency.was_opened = driver != "postgres";
  dependency.complaint = "It cannot be used; requests for context fail until it can.";
  dependency.outage = store.outage();
  dependency.probe = [&store] { return store.probe(); };
  return dependency;
}

}  // namespace flowstore::server

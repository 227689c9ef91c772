// Endpoint: where the database is and how to log in, in libpq's words.

#pragma once

#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/task.h"
#include "postgres/connection.h"
#include "postgres/options.h"
#include "postgres/tls.h"

namespace flowstore::postgres {

// Used on one thread.
class Endpoint {
 public:
  Endpoint(Options options, Tls tls) : options_(std::move(options)), tls_(std::move(tls)) {}

  // Looks the host names up, without blocking the thread, and fills in everything else. The error
  // is a connection's Trouble: a name may be there the next time.
  Task<std::optional<Trouble>> resolve(boost::asio::io_context& loop, ConnectWords& words) const;

  // "pg.example:5432", for logs.
  std::string name() const;

 private:
  Options options_;
  Tls tls_;
};

}  // namespace flowstore::postgres

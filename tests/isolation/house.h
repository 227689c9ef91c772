// House: all projects of a test under one roof, and the door that requests come in by.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "api/dispatch.h"
#include "auth/fixed_verifier.h"
#include "context/context_service.h"
#include "files/file_service.h"
#include "files/local_ledger.h"
#include "isolation/grounds.h"
#include "isolation/hostile.h"

namespace flowstore::isolation {

struct Answer {
  Answer() = default;  // declared: travels through awaited expressions

  bool is_good() const noexcept { return status >= 200 && status < 300; }

  int status = 0;
  std::string headers;
  std::string body;
};

// A Dispatch on two grounds, with every victim moved in: a token, files, context. What is asked
// runs to its end on the calling thread.
class House {
 public:
  // The grounds must outlive the house.
  House(FileGround& files, ContextGround& context, Reach reach);
  House(const House&) = delete;
  House& operator=(const House&) = delete;
  ~House();

  Answer ask(const Attempt& attempt);
  // With the token of this place; a body of files or of context.
  Answer ask(Place place, std::string_view method, const std::string& target, std::string body = "",
             std::string_view mode = "");

  // All that is not the attacker's, and how much each victim is told that it uses.
  Belongings others();

  // What an answer to the attacker tells that it must not, in words; nothing if it is right: no
  // marker, and no secret word of a ground that the attacker did not send itself.
  std::optional<std::string> leak(const Attempt& attempt, const Answer& answer) const;
  // The same, and whether it looks like a disk or database that fails: no request is to blame for
  // one.
  std::optional<std::string> fault(const Attempt& attempt, const Answer& answer) const;

  // Throws away all that the attacker has.
  void clear_attacker();

 private:
  void move_in(Place place);
  Task<Answer> answer_to(http::Request& request);

  FileGround& file_ground_;
  ContextGround& context_ground_;
  Reach reach_;
  std::vector<std::string> secret_words_;
  SystemClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  metrics::Registry registry_;
  boost::asio::thread_pool background_{1};
  BlockingPool pool_{1};
  auth::FixedVerifier verifier_;
  auth::ServiceTokens no_tokens_{{}};
  files::LocalLedger ledger_;
  files::FileService files_;
  context::ContextService context_;
  api::Readiness readiness_{clock_};
  api::Dispatch dispatch_;
  http::Peer peer_;
  Caller caller_;
};

// Which of the two differ, one a line; empty if none.
std::string differences(const Belongings& before, const Belongings& after);

}  // namespace flowstore::isolation

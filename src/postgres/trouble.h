// Trouble: what went wrong between us and the database, and what to do about it.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace flowstore::postgres {

// An error of the server, or of the connection to it.
struct Trouble {
  Trouble() = default;
  Trouble(std::string state, std::string text)
      : sqlstate(std::move(state)), message(std::move(text)) {}

  std::string sqlstate;  // five characters; empty: the connection failed without a word
  std::string message;   // the server's or libpq's, for the log; names no row and no password
  bool is_lost = false;  // the connection is gone, and whatever it had not answered is unknown
};

// What to try when a statement that may be repeated has failed.
enum class Remedy : std::uint8_t {
  none,       // it would fail again
  repeat,     // somebody was in the way, or the connection is gone: once more
  unprepare,  // a pooler in between mixes up connections: once more, without named statements
  set_up,     // the database is not what it was: once more, with new connections
};

Remedy remedy_for(const Trouble& trouble);

// Whether a transaction whose COMMIT was under way may have happened all the same: no word came
// from the server itself (of class 08 are those of a pooler that lost it).
bool may_have_happened(const Trouble& trouble) noexcept;

// What the trouble is to a caller: invalid, no_space, unavailable or internal.
ErrorKind kind_of(const Trouble& trouble) noexcept;

// What the operator can do about a connection that cannot be made; one clause without a full stop.
std::string_view advice_for(const Trouble& trouble);

}  // namespace flowstore::postgres

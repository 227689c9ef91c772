#include "postgres/trouble.h"

#include <algorithm>
#include <array>
#include <utility>

namespace flowstore::postgres {
namespace {

struct Row {
  std::string_view prefix;  // of the SQLSTATE; the first row that fits counts
  ErrorKind kind;
  Remedy remedy;
};

// Class 08 and the empty state are lost connections. 57014 is not repeated: it is our own time-out.
constexpr std::array kRows = {
    Row{"08", ErrorKind::unavailable, Remedy::repeat},
    Row{"40001", ErrorKind::unavailable, Remedy::repeat},     // serialization failure
    Row{"40P01", ErrorKind::unavailable, Remedy::repeat},     // deadlock
    Row{"55P03", ErrorKind::unavailable, Remedy::repeat},     // lock not available in time
    Row{"57P0", ErrorKind::unavailable, Remedy::repeat},      // shutting down, starting up
    Row{"57014", ErrorKind::unavailable, Remedy::none},       // cancelled
    Row{"25006", ErrorKind::unavailable, Remedy::set_up},     // read-only: no longer the primary
    Row{"25P0", ErrorKind::unavailable, Remedy::repeat},      // our transaction was ended for us
    Row{"53100", ErrorKind::no_space, Remedy::none},          // disk full
    Row{"53", ErrorKind::unavailable, Remedy::repeat},        // memory, connections
    Row{"58", ErrorKind::unavailable, Remedy::none},          // input and output of the server
    Row{"23505", ErrorKind::unavailable, Remedy::repeat},     // somebody inserted the same row
    Row{"26000", ErrorKind::unavailable, Remedy::unprepare},  // no such prepared statement
    Row{"42P05", ErrorKind::unavailable, Remedy::unprepare},  // there is one already
    Row{"0A000", ErrorKind::unavailable, Remedy::set_up},     // a plan is out of date
    Row{"42P01", ErrorKind::unavailable, Remedy::set_up},     // no such table
    Row{"42703", ErrorKind::unavailable, Remedy::set_up},     // no such column
    Row{"42883", ErrorKind::unavailable, Remedy::set_up},     // no such function
    Row{"42501", ErrorKind::unavailable, Remedy::none},       // not allowed
    Row{"28", ErrorKind::unavailable, Remedy::none},          // wrong password
    Row{"3D000", ErrorKind::unavailable, Remedy::none},       // no such database
    Row{"22", ErrorKind::invalid, Remedy::none},              // data it cannot hold
    Row{"54", ErrorKind::invalid, Remedy::none},              // longer or deeper than it can hold
};

Row row_for(const Trouble& trouble) {
  if (trouble.sqlstate.empty()) return {"", ErrorKind::unavailable, Remedy::repeat};
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& one) {
    return trouble.sqlstate.starts_with(one.prefix);
  });
  return row == kRows.end() ? Row{"", ErrorKind::internal, Remedy::none} : *row;
}

}  // namespace

Remedy remedy_for(const Trouble& trouble) { return row_for(trouble).remedy; }

bool may_have_happened(const Trouble& trouble) noexcept {
  return trouble.sqlstate.empty() || trouble.sqlstate.starts_with("08");
}

ErrorKind kind_of(const Trouble& trouble) noexcept { return row_for(trouble).kind; }

std::string_view advice_for(const Trouble& trouble) {
  const std::string_view state = trouble.sqlstate;
  if (state.starts_with("28"))
    return "check context.options.username and password, and pg_hba.conf";
  if (state == "3D000") return "create the database, or correct context.options.database";
  if (state == "42501")
    return "grant the user what is missing, or make it the owner of \"Contexts\"";
  if (state == "53300") return "raise max_connections, or lower context.options.connections";
  if (state == "57P03") return "it is starting or stopping; wait";
  return "check context.options and that PostgreSQL is running and can be reached";
}

}  // namespace flowstore::postgres

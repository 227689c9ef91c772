// Numbers as JavaScript reads and writes them.

#pragma once

#include <string>
#include <string_view>

namespace flowstore::json {

// The double nearest to a JSON number; infinite when it is too large for one.
double parse_number(std::string_view text);

// Appends what Number.prototype.toString gives: the shortest digits that read back as the same
// double (ECMA-262, section 6.1.6.1.20). Precondition: a number, which may be infinite.
void append_number(std::string& out, double value);

}  // namespace flowstore::json

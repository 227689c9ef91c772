// The three ways to write a token.

#pragma once

#include "config/config.h"
#include "config/value.h"

namespace flowstore::config {

// As plain text: printable ASCII without spaces.
void read_token(const Value& value, FixedToken& into);
// As the name of a file that holds it and nothing else.
void read_token_file(const Value& value, FixedToken& into);
// As the 64 hex digits of its SHA-256.
void read_sha256(const Value& value, FixedToken& into);

}  // namespace flowstore::config

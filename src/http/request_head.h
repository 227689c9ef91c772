// The head of a request of ours, as it goes on the wire.

#pragma once

#include <string>

#include "base/result.h"
#include "http/connector.h"

namespace flowstore::http {

// With Content-Length where there is a body, or would usually be. invalid: a control character or
// the like would make it another request; the body's length is not known; or the headers name it.
Result<std::string> make_request_head(const OutgoingRequest& request);

}  // namespace flowstore::http

// Ask: small questions to services that hand out credentials.

#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/result.h"
#include "base/task.h"
#include "http/ask.h"

namespace flowstore::aws {

// The body of a good answer. Gives up after two seconds. The message of an error names the service
// and nothing of what was sent or came back.
Task<Result<std::string>> good_answer(http::Connector& connector, http::Question question);

// {"AccessKeyId":...,"SecretAccessKey":...,"Token":...,"Expiration":...}
Result<Credentials> read_json(std::string_view text);
// The answer of the token service.
Result<Credentials> read_sts(std::string_view xml);

}  // namespace flowstore::aws

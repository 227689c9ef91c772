// Ask: small questions to services that hand out credentials.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "base/result.h"
#include "base/task.h"
#include "http/connector.h"

namespace flowstore::aws {

struct Question {
  Question() = default;
  Question(std::string verb, std::string address)
      : method(std::move(verb)), url(std::move(address)) {}

  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// The body of a good answer. Gives up after two seconds. The message of an error names the service
// and nothing of what was sent or came back.
Task<Result<std::string>> ask(http::Connector& connector, Question question);

// {"AccessKeyId":...,"SecretAccessKey":...,"Token":...,"Expiration":...}
Result<Credentials> read_json(std::string_view text);
// The answer of the token service.
Result<Credentials> read_sts(std::string_view xml);

}  // namespace flowstore::aws

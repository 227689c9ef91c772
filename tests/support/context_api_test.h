// The context routes behind a Dispatch, on a store of the test's choice.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "context/context_service.h"
#include "context/memory/memory_store.h"
#include "support/dispatch_test.h"
#include "support/scripted_context_store.h"

namespace flowstore::api {

// `P` stands for the project that the token opens. Rows are in memory unless the test uses
// `scripted`.
class ContextApiTest : public DispatchTest {
 protected:
  static inline const Headers kJson = {{"Content-Type", "application/json"}};

  Answer ask(std::string_view method, std::string_view target, std::string body = "",
             Headers headers = {}, std::string_view authorization = "Bearer good") {
    if (context == nullptr) use(*memory_);
    return DispatchTest::ask(method, "/v1/context/" + std::string(target), std::move(body),
                             std::move(headers), authorization);
  }
  Answer post(std::string_view target, std::string body) {
    return ask("POST", target, std::move(body), kJson);
  }
  Answer get(std::string_view target) { return ask("GET", target); }

  // Sets one value, which must work.
  void set(const std::string& scope, const std::string& key, const std::string& value) {
    const Answer answer = post("p/" + scope, R"([{"key":")" + key + R"(","value":)" + value + "}]");
    EXPECT_EQ(answer.status, 200) << scope << " " << key << " " << answer.body;
  }

  // To be called before the first question.
  void use_scripted() { use(scripted); }
  void limit_by_default(std::uint64_t characters) { default_limit_ = characters; }

  context::ScriptedStore scripted;

 private:
  void use(context::ContextStore& rows) {
    service_.emplace(rows, "test", default_limit_, pool, clock, log_, registry);
    context = &*service_;
  }

  Log log_{LogLevel::silent, LogFormat::json, clock};
  context::CharacterLimit default_limit_;
  std::unique_ptr<context::ContextStore> memory_ = context::memory::make_store();
  std::optional<context::ContextService> service_;
};

}  // namespace flowstore::api

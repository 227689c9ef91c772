#include "isolation/house.h"

#include <stdexcept>
#include <utility>

#include "support/bodies.h"
#include "support/run.h"

namespace flowstore::isolation {
namespace {

config::FixedToken permission(Place place, Reach reach) {
  config::FixedToken token;
  token.token = Secret(token_of(place));
  token.project = place.project;
  if (reach == Reach::own_team) token.team = place.team;
  return token;
}

std::vector<config::FixedToken> permissions(Reach reach) {
  std::vector<config::FixedToken> tokens = {permission(kAttacker, reach)};
  for (const Place& place : kVictims) tokens.push_back(permission(place, Reach::own_team));
  return tokens;
}

std::string files_of(Place place) {
  return "/v1/files/" + std::string(place.team) + "/" + std::string(place.project) + "/";
}

std::string context_of(Place place) { return "/v1/context/" + std::string(place.project) + "/"; }

std::string shortened(const std::string& text) { return text.substr(0, 300); }

}  // namespace

House::House(FileGround& files, ContextGround& context, Reach reach)
    : file_ground_(files),
      context_ground_(context),
      reach_(reach),
      secret_words_(files.secret_words()),
      verifier_(permissions(reach)),
      ledger_(files.store(), clock_, registry_, background_.get_executor()),
      files_(files.store(), ledger_, clock_, registry_),
      context_(context.store(), "test", std::nullopt, pool_, clock_, log_, registry_),
      dispatch_(verifier_, no_tokens_, files_, &context_, pool_, readiness_, registry_,
                api::ApiOptions()) {
  for (std::string& word : context.secret_words()) secret_words_.push_back(std::move(word));
  for (const Place& place : kVictims) move_in(place);
}

House::~House() { background_.join(); }

void House::move_in(Place place) {
  const std::string marker(kMarker);
  const std::string known(kKnownName);
  for (const std::string& name : {known, "dir/" + known, marker + ".txt"}) {
    const Answer answer = ask(place, "POST", files_of(place) + name, marker + " in " + name);
    if (!answer.is_good()) throw std::runtime_error(answer.body);
  }
  for (const std::string& scope : {std::string("f1"), std::string("global"), marker}) {
    const std::string items = R"([{"key":"k","value":")" + marker + R"("}])";
    const Answer answer = ask(place, "POST", context_of(place) + scope, items);
    if (!answer.is_good()) throw std::runtime_error(answer.body);
  }
}

Task<Answer> House::answer_to(http::Request& request) {
  http::Response response = co_await dispatch_.handle(request);
  Answer answer;
  answer.status = response.status;
  for (const auto& [name, value] : response.headers) {
    answer.headers.append(name).append(": ").append(value).append("\n");
  }
  // Bytes that come over a network must be pulled where they were opened.
  answer.body = co_await pull_all(response.content);
  co_return answer;
}

Answer House::ask(const Attempt& attempt) {
  std::vector<http::Header> headers;
  for (const auto& [name, value] : attempt.headers) headers.push_back(http::Header{name, value});
  StringSource body(attempt.body);
  http::Request request(attempt.method, attempt.target, headers, peer_, body, caller_);
  return run(answer_to(request));
}

Answer House::ask(Place place, std::string_view method, const std::string& target, std::string body,
                  std::string_view mode) {
  Attempt attempt;
  attempt.method = method;
  attempt.target = target;
  attempt.headers.emplace_back("Authorization", "Bearer " + token_of(place));
  attempt.headers.emplace_back("Content-Type", "application/json");
  if (!mode.empty()) attempt.headers.emplace_back("FF_MODE", mode);
  attempt.body = std::move(body);
  return ask(attempt);
}

Belongings House::others() {
  Belongings all = file_ground_.others(reach_);
  all.merge(context_ground_.others());
  for (const Place& place : kVictims) {
    const std::string name = std::string(place.team) + "/" + std::string(place.project);
    all["usage of " + name] = ask(place, "GET", "/v1/quota/" + name).body;
  }
  return all;
}

std::optional<std::string> House::leak(const Attempt& attempt, const Answer& answer) const {
  const std::string all = answer.headers + answer.body;
  if (all.find(kMarker) != std::string::npos) return "shows the marker: " + shortened(all);
  for (const std::string& word : secret_words_) {
    const bool is_shown = all.find(word) != std::string::npos;
    if (is_shown && attempt.words().find(word) == std::string::npos) {
      return "shows '" + word + "': " + shortened(all);
    }
  }
  return std::nullopt;
}

std::optional<std::string> House::fault(const Attempt& attempt, const Answer& answer) const {
  if (auto told = leak(attempt, answer)) return told;
  // The old server's answer to reading a folder is no failure.
  const bool is_folder = answer.body.find("EISDIR") != std::string::npos;
  if (answer.status >= 500 && !is_folder) {
    return "fails with " + std::to_string(answer.status) + ": " + shortened(answer.body);
  }
  return std::nullopt;
}

void House::clear_attacker() {
  ask(kAttacker, "DELETE", files_of(kAttacker) + "?recursive");
  ask(kAttacker, "POST", context_of(kAttacker) + "clean", "[]");
}

std::string differences(const Belongings& before, const Belongings& after) {
  std::string words;
  for (const auto& [name, value] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      words += name + " is gone\n";
    } else if (found->second != value) {
      words += name + " was " + shortened(value) + " and is " + shortened(found->second) + "\n";
    }
  }
  for (const auto& [name, value] : after) {
    if (!before.contains(name)) words += name + " is new: " + shortened(value) + "\n";
  }
  return words;
}

}  // namespace flowstore::isolation

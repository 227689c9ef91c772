#include "cli/workplace.h"

#include <csignal>
#include <ostream>

#include <unistd.h>

#include "server/privileges.h"
#include "tools/quantity.h"

namespace flowstore::cli {
namespace {

constexpr int kInterrupted = 130;  // as a shell says of SIGINT

}  // namespace

Workplace::Workplace(const Surroundings& around)
    : around_(around), progress_(around.err_is_terminal ? &around.err : nullptr, clock_) {
  std::signal(SIGPIPE, SIG_IGN);
}

Status Workplace::enter(const config::Config& config) {
  FLOWSTORE_TRY_STATUS(server::give_up_privileges(config));
  // What the stores have to say goes beside the result, not into it.
  log_.emplace(LogLevel::warn, LogFormat::pretty, clock_, STDERR_FILENO);
  return {};
}

Result<std::unique_ptr<tools::Stores>> Workplace::open(const config::Config& config,
                                                       tools::Parts parts) {
  return tools::Stores::open(config, parts, clock_, *log_);
}

void Workplace::print(std::string_view text) {
  progress_.clear();
  around_.out << text << std::flush;
}

void Workplace::say(std::string_view sentence) {
  progress_.clear();
  around_.err << "flowstore: " << sentence << '\n' << std::flush;
}

int Workplace::failed(const Error& error) {
  say(error.message());
  return error.kind() == ErrorKind::aborted ? kInterrupted : 1;
}

std::string json_array(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ",";
    append_json_string(json, text);
  }
  return json + "]";
}

std::vector<std::string> shortened(std::vector<std::string> all, std::size_t most) {
  if (all.size() <= most) return all;
  const std::size_t rest = all.size() - most;
  all.resize(most);
  all.push_back("and " + tools::grouped(rest) + " more");
  return all;
}

}  // namespace flowstore::cli

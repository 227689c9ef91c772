#include "cli/check_report.h"

#include <algorithm>

#include "base/log.h"
#include "config/effective.h"

namespace flowstore::cli {
namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string boolean(bool value) { return value ? "true" : "false"; }

std::string options_text(const config::LoadResult& loaded) {
  const auto options = config::effective_options(loaded);
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const auto& option : options) {
    name_width = std::max(name_width, option.name.size());
    value_width = std::max(value_width, option.value.size());
  }
  // One long value, such as a path, must not push the origins off the screen.
  constexpr std::size_t kWidest = 30;
  value_width = std::min(value_width, kWidest);
  std::string text;
  for (const auto& option : options) {
    text += padded(option.name, name_width) + "  " + padded(option.value, value_width) + "  # " +
            option.origin + "\n";
  }
  return text;
}

std::string array(const std::vector<std::string>& objects) {
  std::string json = "[";
  for (const std::string& object : objects) {
    if (json.size() > 1) json += ",";
    json += "{" + object + "}";
  }
  return json + "]";
}

std::string options_json(const config::LoadResult& loaded) {
  std::vector<std::string> objects;
  for (const auto& option : config::effective_options(loaded)) {
    LogFields fields;
    fields.text("name", option.name).text("value", option.value).text("origin", option.origin);
    objects.push_back(fields.json());
  }
  return array(objects);
}

std::string problems_json(const std::vector<config::Problem>& problems) {
  std::vector<std::string> objects;
  for (const config::Problem& problem : problems) {
    LogFields fields;
    fields.raw("fatal", boolean(problem.is_fatal)).text("file", problem.file);
    fields.number("line", problem.line).text("key", problem.key).text("message", problem.message);
    objects.push_back(fields.json());
  }
  return array(objects);
}

std::string results_json(const std::vector<server::CheckResult>& results) {
  std::vector<std::string> objects;
  for (const server::CheckResult& result : results) {
    LogFields fields;
    fields.text("name", result.name).raw("ok", boolean(result.is_ok)).text("detail", result.detail);
    if (result.is_warning) fields.raw("warning", "true");
    objects.push_back(fields.json());
  }
  return array(objects);
}

}  // namespace

bool CheckReport::is_ok() const {
  return loaded.is_usable() && std::all_of(results.begin(), results.end(),
                                           [](const auto& result) { return result.is_ok; });
}

std::string as_text(const CheckReport& report) {
  const config::LoadResult& loaded = report.loaded;
  std::string text;
  if (loaded.is_usable()) text = options_text(loaded) + "\n";
  for (const config::Problem& problem : loaded.problems) {
    text += (problem.is_fatal ? "FAIL  " : "warn  ") + to_text(problem) + "\n";
  }
  if (loaded.is_usable()) {
    text += "ok    configuration: " + loaded.config.file + "\n";
  } else {
    text += "FAIL  configuration: nothing else was tried; mend the above and run check again\n";
  }
  for (const server::CheckResult& result : report.results) {
    const char* const kind = !result.is_ok ? "FAIL  " : result.is_warning ? "warn  " : "ok    ";
    text += kind + result.name + ": " + result.detail + "\n";
  }
  return text;
}

std::string as_json(const CheckReport& report) {
  const config::LoadResult& loaded = report.loaded;
  LogFields fields;
  fields.raw("ok", boolean(report.is_ok())).text("version", FLOWSTORE_VERSION);
  fields.text("file", loaded.config.file);
  fields.raw("options", loaded.is_usable() ? options_json(loaded) : "[]");
  fields.raw("problems", problems_json(loaded.problems));
  fields.raw("checks", results_json(report.results));
  return "{" + fields.json() + "}\n";
}

}  // namespace flowstore::cli

#include "config/driver_options.h"

#include <utility>

#include "config/option_readers.h"

namespace flowstore::config {
namespace {

void read_type(const Value& value, Config& config) {
  if (value.text() == "vfs") {
    value.reject(value.shown() + " is not part of this version; use localfs, s3 or memory");
    return;
  }
  const auto type = value.choice<DriverType>(
      "driver",
      {{"localfs", DriverType::localfs}, {"s3", DriverType::s3}, {"memory", DriverType::memory}});
  if (type) config.driver.type = *type;
}

std::string show_type(const Config& config) {
  switch (config.driver.type) {
    case DriverType::localfs:
      return "localfs";
    case DriverType::s3:
      return "s3";
    case DriverType::memory:
      return "memory";
  }
  return "";
}

void read_root(const Value& value, Config& config) {
  if (auto root = value.text()) config.driver.root = *std::move(root);
}

void read_durability(const Value& value, Config& config) {
  const auto durability = value.choice<Durability>(
      "durability", {{"strict", Durability::strict}, {"relaxed", Durability::relaxed}});
  if (durability) config.driver.durability = *durability;
}

void read_log(const Value& value, Config& config) {
  if (const auto flag = value.flag()) config.driver.keeps_log = *flag;
}

void read_bucket(const Value& value, Config& config) {
  if (auto bucket = value.text()) config.driver.s3.bucket = *std::move(bucket);
}

void read_path_style(const Value& value, Config& config) {
  if (const auto flag = value.flag()) config.driver.s3.force_path_style = *flag;
}

void read_key(const Value& value, Secret& into) {
  auto text = value.optional_text();
  if (text) into = Secret(*std::move(text));
}

void read_key_file(const Value& value, Config& config) {
  auto text = value.secret_in_file();
  if (text) config.driver.s3.secret_access_key = *std::move(text);
}

std::string show_secret(const Secret& secret) { return secret.empty() ? "none" : "(secret)"; }

}  // namespace

std::vector<Option> driver_options() {
  return {
      {"driver.type", read_type, show_type},
      {"driver.quota", [](const Value& v, Config& c) { read_limit(v, c.driver.quota); },
       [](const Config& c) { return show_limit(c.driver.quota); }},
      {"driver.options.root", read_root, [](const Config& c) { return show_text(c.driver.root); }},
      {"driver.options.durability", read_durability,
       [](const Config& c) {
         return std::string(c.driver.durability == Durability::strict ? "strict" : "relaxed");
       }},
      {"driver.options.log", read_log,
       [](const Config& c) { return show_flag(c.driver.keeps_log); }},
      {"driver.options.maxBytes",
       [](const Value& v, Config& c) {
         if (const auto bytes = v.bytes(1)) c.driver.max_bytes = *bytes;
       },
       [](const Config& c) { return show_bytes(c.driver.max_bytes); }},
      {"driver.options.bucket", read_bucket,
       [](const Config& c) { return show_text(c.driver.s3.bucket); }},
      {"driver.options.region",
       [](const Value& v, Config& c) { read_optional_text(v, c.driver.s3.region); },
       [](const Config& c) { return show_text(c.driver.s3.region); }},
      {"driver.options.endpoint",
       [](const Value& v, Config& c) { read_optional_text(v, c.driver.s3.endpoint); },
       [](const Config& c) { return show_text(c.driver.s3.endpoint); }},
      {"driver.options.forcePathStyle", read_path_style,
       [](const Config& c) { return show_flag(c.driver.s3.force_path_style); }},
      {"driver.options.credentials.accessKeyId",
       [](const Value& v, Config& c) { read_key(v, c.driver.s3.access_key_id); },
       [](const Config& c) { return show_secret(c.driver.s3.access_key_id); }, Secrecy::secret},
      {"driver.options.credentials.secretAccessKey",
       [](const Value& v, Config& c) { read_key(v, c.driver.s3.secret_access_key); },
       [](const Config& c) { return show_secret(c.driver.s3.secret_access_key); }, Secrecy::secret},
      {"driver.options.credentials.secretAccessKey_file", read_key_file, nullptr},
      {"driver.options.credentials.sessionToken",
       [](const Value& v, Config& c) { read_key(v, c.driver.s3.session_token); },
       [](const Config& c) { return show_secret(c.driver.s3.session_token); }, Secrecy::secret},
  };
}

}  // namespace flowstore::config

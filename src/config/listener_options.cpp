#include "config/listener_options.h"

#include "config/option_readers.h"
#include "config/token_readers.h"

namespace flowstore::config {

std::vector<Option> listener_options() {
  return {
      {"tls.cert",
       [](const Value& v, Config& c) {
         if (auto file = v.file_name()) c.tls.cert_file = *std::move(file);
       },
       [](const Config& c) { return show_text(c.tls.cert_file); }},
      {"tls.key",
       [](const Value& v, Config& c) {
         if (auto file = v.file_name()) c.tls.key_file = *std::move(file);
       },
       [](const Config& c) { return show_text(c.tls.key_file); }},
      {"admin.port",
       [](const Value& v, Config& c) {
         if (const auto port = v.whole(0, 65535)) c.admin.port = static_cast<std::uint16_t>(*port);
       },
       [](const Config& c) {
         return c.admin.port ? std::to_string(*c.admin.port) : std::string("none");
       }},
      {"admin.host",
       [](const Value& v, Config& c) {
         if (auto host = v.text()) c.admin.host = *std::move(host);
       },
       [](const Config& c) { return c.admin.host; }},
      {"admin.token", [](const Value& v, Config& c) { read_token(v, c.admin.token); },
       [](const Config& c) { return std::string(c.admin.has_token() ? "(secret)" : "none"); },
       Secrecy::secret},
      {"admin.token_file", [](const Value& v, Config& c) { read_token_file(v, c.admin.token); },
       nullptr},
      {"admin.sha256", [](const Value& v, Config& c) { read_sha256(v, c.admin.token); }, nullptr,
       Secrecy::secret},
  };
}

}  // namespace flowstore::config

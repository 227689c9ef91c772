// Reading what Prometheus would.

#pragma once

#include <string>

namespace flowstore {

// The number behind `sample`, a name with its labels, in the text of /metrics; -1 where there is
// none.
inline double sample_in(const std::string& text, const std::string& sample) {
  const std::size_t at = text.find("\n" + sample + " ");
  if (at == std::string::npos) return -1;
  return std::stod(text.substr(at + sample.size() + 2));
}

}  // namespace flowstore

#include "base/secret.h"

#include <cstring>

namespace flowstore {

Secret::~Secret() {
  // explicit_bzero is not removed by the optimiser as a dead store would be.
  if (!text_.empty()) ::explicit_bzero(text_.data(), text_.size());
}

}  // namespace flowstore

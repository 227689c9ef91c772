#include "metrics/operation_time.h"

#include <vector>

namespace flowstore::metrics {
namespace {

// From a page that is in memory to a store that is about to give up.
const std::vector<double>& bounds() {
  static const std::vector<double> seconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                              0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
  return seconds;
}

}  // namespace

OperationTime::OperationTime(OperationFamily family, std::string_view driver,
                             std::string_view operation, const Clock& clock, Registry& registry)
    : clock_(clock),
      histogram_(registry.histogram(family.name, family.help, bounds(),
                                    {{"driver", driver}, {"operation", operation}})) {}

}  // namespace flowstore::metrics

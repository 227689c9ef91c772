#include "files/operation_times.h"

#include <vector>

namespace flowstore::files {
namespace {

metrics::Histogram& histogram(metrics::Registry& registry, std::string_view driver,
                              std::string_view operation) {
  const std::vector<double> bounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                      0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
  return registry.histogram("flowstore_storage_operation_duration_seconds",
                            "Time that operations on the file store take.", bounds,
                            {{"driver", driver}, {"operation", operation}});
}

}  // namespace

OperationTimes::OperationTimes(std::string_view driver, const Clock& clock,
                               metrics::Registry& registry)
    : clock_(clock),
      open_(histogram(registry, driver, "open")),
      receive_(histogram(registry, driver, "receive")),
      commit_(histogram(registry, driver, "commit")),
      remove_(histogram(registry, driver, "remove")),
      list_(histogram(registry, driver, "list")) {}

}  // namespace flowstore::files

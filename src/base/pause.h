// Pauses of tasks.

#pragma once

#include <chrono>

#include "base/task.h"

namespace flowstore {

// Suspends the task; its thread goes on with others. For real time, such as between two tries of a
// network: what a test wants to hurry takes a Clock.
Task<> sleep_for(std::chrono::milliseconds time);

// Between half of it and all of it, so that many who begin together do not go on together.
std::chrono::milliseconds jittered(std::chrono::milliseconds time);

}  // namespace flowstore

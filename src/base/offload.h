// OffloadedWork: how busy loops yield to the threads that work for them.

#pragma once

#include <boost/asio/io_context.hpp>

namespace flowstore {

// Stands for one piece of work that a task waits for while another thread of the process does it.
// A loop with much to do never sleeps, and Linux takes its core away at a clock tick only, every
// 4 ms with 250 Hz: the thread that was woken there, or the kernel's own that ends a write to the
// disk, would wait for that again and again. Busy loops therefore yield while there is such work
// (docs/decisions/0013-yield.md). Any thread.
class OffloadedWork {
 public:
  OffloadedWork() noexcept;
  ~OffloadedWork();
  OffloadedWork(const OffloadedWork&) = delete;
  OffloadedWork& operator=(const OffloadedWork&) = delete;
};

// Lets other threads run first, if there is offloaded work. Any thread.
void yield_to_offloaded_work();

// The same, once everything that is ready on the loop has been done; once however often it is asked
// for until then. On the loop's thread, which must not run another loop at the same time.
void yield_soon_to_offloaded_work(boost::asio::io_context& loop);

}  // namespace flowstore

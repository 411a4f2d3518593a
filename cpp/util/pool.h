/// A pool of threads that share out the items of one loop, and stop early when the user interrupts.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <utility>

namespace isingprop {

/// Thrown out of a loop that the user interrupted.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted") {}
};

/// Says whether to go on. Only the thread that called the loop asks the outside world, every few
/// milliseconds; the others read what it found.
class Interrupt {
 public:
  /// asked() tells whether the user wants to stop; it may be slow (it takes Python's lock).
  explicit Interrupt(std::function<bool()> asked) : asked_(std::move(asked)) {}

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  void poll();
  /// Polls where `asks`, as only the calling thread may, and throws Interrupted where the loop is
  /// to stop.
  void look(bool asks) {
    if (asks) poll();
    if (stopped()) throw Interrupted();
  }

 private:
  std::function<bool()> asked_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  std::atomic<bool> stopped_{false};
};

/// Runs body(thread, first, last) over [0, num_items) in pieces of at most `piece`, on num_threads
/// threads, of which the calling one is thread 0. The pieces are handed out in order, to whoever is
/// free; while the calling thread waits for the others it polls. Rethrows what a body throws.
void parallel_for(int num_threads, std::int64_t num_items, std::int64_t piece, Interrupt& interrupt,
                  const std::function<void(int, std::int64_t, std::int64_t)>& body);

}  // namespace isingprop

/// The way in which a long loop learns that the user wants to stop it (Ctrl-C in Python).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <utility>

namespace isingprop {

/// Leaves a loop that the user interrupted.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted") {}
};

/// A flag that all threads of a loop may read, and that the calling thread sets.
///
/// Only the thread that called the loop may poll, because polling can need Python's lock. The other
/// threads read what the last poll found.
class Interrupt {
 public:
  /// `is_requested()` returns whether the user wants to stop; it may be slow.
  explicit Interrupt(std::function<bool()> is_requested) : is_requested_(std::move(is_requested)) {}

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  /// Calls is_requested(), at most once in 10 ms, and sets the flag when it returns true.
  void poll();

  /// Throws Interrupted when the flag is set. Polls first if `may_poll`: the calling thread only.
  void check(bool may_poll) {
    if (may_poll) poll();
    if (stopped()) throw Interrupted();
  }

 private:
  std::function<bool()> is_requested_;
  std::chrono::steady_clock::time_point last_poll_ = std::chrono::steady_clock::now();
  std::atomic<bool> stopped_{false};
};

}  // namespace isingprop

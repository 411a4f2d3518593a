#include "util/interrupt.h"

namespace isingprop {
namespace {

/// Polls are rarer than this, which is far below the patience of a user and far above their cost.
constexpr auto kPollInterval = std::chrono::milliseconds(10);

}  // namespace

void Interrupt::poll() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_poll_ < kPollInterval) return;
  last_poll_ = now;
  if (is_requested_()) stop();
}

}  // namespace isingprop

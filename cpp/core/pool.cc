#include "core/pool.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace isingprop {
namespace {

using Body = std::function<void(int, std::int64_t, std::int64_t)>;

constexpr auto kPollEvery = std::chrono::milliseconds(10);
/// How long an idle worker looks for more work before it sleeps: training calls follow each other within microseconds.
constexpr auto kSpinFor = std::chrono::microseconds(100);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// One loop and the threads at work on it.
struct Loop {
  const Body* body;
  std::int64_t num_items, piece;
  std::atomic<std::int64_t> next{0};
  std::mutex failure_lock;
  std::exception_ptr failure;

  void work(int thread) {
    try {
      for (;;) {
        const std::int64_t first = next.fetch_add(piece, std::memory_order_relaxed);
        if (first >= num_items) return;
        (*body)(thread, first, std::min(first + piece, num_items));
      }
    } catch (...) {
      next.store(num_items, std::memory_order_relaxed);
      const std::lock_guard<std::mutex> lock(failure_lock);
      if (!failure) failure = std::current_exception();
    }
  }
};

/// Calls until() again and again: at first without a pause, later with short sleeps in between.
template <class Until>
void wait_until(const Until& until) {
  const auto patience = std::chrono::steady_clock::now() + kSpinFor;
  while (!until()) {
    if (std::chrono::steady_clock::now() < patience) {
      relax();
    } else {
      std::this_thread::sleep_for(kSpinFor);
    }
  }
}

class Pool {
 public:
  /// Runs the loop on num_threads threads, this one included. One loop at a time.
  void run(int num_threads, Loop& loop, Interrupt& interrupt) {
    std::unique_lock<std::mutex> one_loop(busy_, std::defer_lock);
    wait_until([&] {
      interrupt.poll();
      return interrupt.stopped() || one_loop.try_lock();
    });
    if (interrupt.stopped()) throw Interrupted();
    while (static_cast<int>(threads_.size()) < num_threads - 1) {
      const int thread = static_cast<int>(threads_.size()) + 1;
      threads_.emplace_back([this, thread] { serve(thread); });
    }
    running_.store(num_threads - 1, std::memory_order_relaxed);
    {
      const std::lock_guard<std::mutex> lock(lock_);
      round_ = {round_.number + 1, &loop, num_threads};
      announced_.store(round_.number, std::memory_order_release);
    }
    wake_.notify_all();
    loop.work(0);
    wait_until([&] {
      interrupt.poll();
      return running_.load(std::memory_order_acquire) == 0;
    });
  }

 private:
  struct Round {
    std::uint64_t number;
    Loop* loop;
    int num_threads;
  };

  /// Waits for a round after number `seen`: a short spin, then sleep.
  Round next_round(std::uint64_t seen) {
    const auto patience = std::chrono::steady_clock::now() + kSpinFor;
    while (announced_.load(std::memory_order_acquire) == seen && std::chrono::steady_clock::now() < patience) {
      relax();
    }
    std::unique_lock<std::mutex> lock(lock_);
    wake_.wait(lock, [&] { return round_.number != seen; });
    return round_;
  }

  /// A round that wants this thread is not over before it has done its share, so its loop is alive here.
  void serve(int thread) {
    std::uint64_t seen = 0;
    for (;;) {
      const Round round = next_round(seen);
      seen = round.number;
      if (thread >= round.num_threads) continue;
      round.loop->work(thread);
      running_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex busy_, lock_;
  std::condition_variable wake_;
  Round round_{0, nullptr, 0};
  std::atomic<std::uint64_t> announced_{0};
  std::atomic<int> running_{0};
  std::vector<std::thread> threads_;
};

/// This process's pool. Threads do not survive a fork, so a child makes its own; a pool is never destroyed, because its
/// threads sleep until the process ends.
Pool& pool() {
  static std::mutex lock;
  static Pool* current = nullptr;
  static pid_t owner = 0;
  const std::lock_guard<std::mutex> guard(lock);
  if (current == nullptr || owner != getpid()) {
    current = new Pool;
    owner = getpid();
  }
  return *current;
}

}  // namespace

void Interrupt::poll() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kPollEvery) return;
  last_ = now;
  if (asked_()) stop();
}

void parallel_for(int num_threads, std::int64_t num_items, std::int64_t piece, Interrupt& interrupt, const Body& body) {
  Loop loop{&body, num_items, piece, {}, {}, {}};
  const std::int64_t pieces = (num_items + piece - 1) / piece;
  const int useful = static_cast<int>(std::min<std::int64_t>(num_threads, pieces));
  if (useful <= 1) {
    loop.work(0);
  } else {
    pool().run(useful, loop, interrupt);
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
  if (interrupt.stopped()) throw Interrupted();
}

}  // namespace isingprop

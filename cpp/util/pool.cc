#include "util/pool.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
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

constexpr auto kWakeInterval = std::chrono::milliseconds(10);
/// An idle thread spins this long before it sleeps: training calls follow each other within
/// microseconds, and waking a sleeping thread takes longer than such a call.
constexpr auto kSpinTime = std::chrono::microseconds(100);

/// Hints to the processor that this thread is waiting in a loop.
inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// One loop, whose pieces its threads take from a shared counter.
struct Loop {
  const Body* body;
  std::int64_t num_items, piece;
  std::atomic<std::int64_t> next{0};
  std::mutex failure_lock;
  std::exception_ptr failure;  ///< the first exception of any body

  /// Takes pieces and runs them until none is left; no exception leaves it.
  void take_pieces(int thread) {
    try {
      for (;;) {
        const std::int64_t first = next.fetch_add(piece, std::memory_order_relaxed);
        if (first >= num_items) return;
        (*body)(thread, first, std::min(first + piece, num_items));
      }
    } catch (...) {
      next.store(num_items, std::memory_order_relaxed);  // no thread takes another piece
      const std::lock_guard<std::mutex> lock(failure_lock);
      if (!failure) failure = std::current_exception();
    }
  }
};

/// Returns as soon as is_true() holds, or after kSpinTime.
template <class Condition>
void spin_until(const Condition& is_true) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  while (!is_true() && std::chrono::steady_clock::now() < deadline) pause_briefly();
}

/// One thread of the pool, which sleeps between loops.
class Worker {
 public:
  explicit Worker(int thread) : thread_([this, thread] { serve(thread); }) {}

  /// Hands the loop to the thread. The loop must outlive the call of wait() that follows.
  void start(Loop& loop) {
    {
      const std::lock_guard<std::mutex> lock(lock_);
      loop_.store(&loop, std::memory_order_release);
    }
    wake_.notify_one();
  }

  /// Returns when the thread has finished the loop, and polls the interrupt until then.
  void wait(Interrupt& interrupt) {
    spin_until([this] { return is_idle(); });

    std::unique_lock<std::mutex> lock(lock_);
    while (!finished_.wait_for(lock, kWakeInterval, [this] { return is_idle(); })) {
      lock.unlock();
      interrupt.poll();
      lock.lock();
    }
  }

 private:
  bool is_idle() const { return loop_.load(std::memory_order_acquire) == nullptr; }

  void serve(int thread) {
    for (;;) {
      wait_for_loop();
      loop_.load(std::memory_order_acquire)->take_pieces(thread);

      {
        const std::lock_guard<std::mutex> lock(lock_);
        loop_.store(nullptr, std::memory_order_release);
      }
      finished_.notify_one();
    }
  }

  void wait_for_loop() {
    spin_until([this] { return !is_idle(); });
    std::unique_lock<std::mutex> lock(lock_);
    wake_.wait(lock, [this] { return !is_idle(); });
  }

  std::mutex lock_;
  std::condition_variable wake_, finished_;
  std::atomic<Loop*> loop_{nullptr};
  std::thread thread_;  // declared last, because it uses the members above as soon as it starts
};

class Pool {
 public:
  /// Runs the loop on num_threads threads including the calling one. Callers take turns.
  void run(int num_threads, Loop& loop, Interrupt& interrupt) {
    std::unique_lock<std::mutex> turn(busy_, std::defer_lock);
    while (!turn.try_lock()) {
      interrupt.check(true);
      std::this_thread::sleep_for(kSpinTime);
    }

    const auto num_workers = static_cast<std::size_t>(num_threads - 1);
    while (workers_.size() < num_workers) {
      workers_.push_back(std::make_unique<Worker>(static_cast<int>(workers_.size()) + 1));
    }

    for (std::size_t k = 0; k < num_workers; ++k) workers_[k]->start(loop);
    loop.take_pieces(0);
    for (std::size_t k = 0; k < num_workers; ++k) workers_[k]->wait(interrupt);
  }

 private:
  std::mutex busy_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

/// Returns the pool of this process.
///
/// Threads do not survive a fork, so a child process makes a pool of its own. A pool is never
/// destroyed: its threads sleep until the process ends.
Pool& process_pool() {
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

void parallel_for(int num_threads, std::int64_t num_items, std::int64_t piece, Interrupt& interrupt,
                  const Body& body) {
  Loop loop{.body = &body,
            .num_items = num_items,
            .piece = piece,
            .next = {},
            .failure_lock = {},
            .failure = {}};
  const std::int64_t num_pieces = (num_items + piece - 1) / piece;
  const int useful_threads = static_cast<int>(std::min<std::int64_t>(num_threads, num_pieces));

  if (useful_threads <= 1) {
    loop.take_pieces(0);
  } else {
    process_pool().run(useful_threads, loop, interrupt);
  }

  if (loop.failure) std::rethrow_exception(loop.failure);
  interrupt.check(false);
}

}  // namespace isingprop

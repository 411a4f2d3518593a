#include "util/pool.h"

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
/// How long an idle worker looks for more work before it sleeps: training calls follow each other
/// within microseconds.
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

/// Looks for a while whether until() holds.
template <class Until>
void spin(const Until& until) {
  const auto patience = std::chrono::steady_clock::now() + kSpinFor;
  while (!until() && std::chrono::steady_clock::now() < patience) relax();
}

/// One thread of the pool, asleep between loops.
class Worker {
 public:
  explicit Worker(int thread) : thread_([this, thread] { serve(thread); }) {}

  /// Sets it to work. The loop must live until wait() is over.
  void start(Loop& loop) {
    {
      const std::lock_guard<std::mutex> lock(lock_);
      loop_.store(&loop, std::memory_order_release);
    }
    wake_.notify_one();
  }

  /// Waits until it is done with the loop, and polls meanwhile.
  void wait(Interrupt& interrupt) {
    spin([this] { return done(); });
    std::unique_lock<std::mutex> lock(lock_);
    while (!done_.wait_for(lock, kPollEvery, [this] { return done(); })) {
      lock.unlock();
      interrupt.poll();
      lock.lock();
    }
  }

 private:
  bool done() const { return loop_.load(std::memory_order_acquire) == nullptr; }

  void serve(int thread) {
    for (;;) {
      wait_for_loop();
      loop_.load(std::memory_order_acquire)->work(thread);
      {
        const std::lock_guard<std::mutex> lock(lock_);
        loop_.store(nullptr, std::memory_order_release);
      }
      done_.notify_one();
    }
  }

  void wait_for_loop() {
    spin([this] { return !done(); });
    std::unique_lock<std::mutex> lock(lock_);
    wake_.wait(lock, [this] { return !done(); });
  }

  std::mutex lock_;
  std::condition_variable wake_, done_;
  std::atomic<Loop*> loop_{nullptr};
  std::thread thread_;  // last, so that the rest is there when it starts
};

class Pool {
 public:
  /// Runs the loop on num_threads threads, this one included. One loop at a time.
  void run(int num_threads, Loop& loop, Interrupt& interrupt) {
    std::unique_lock<std::mutex> one_loop(busy_, std::defer_lock);
    while (!one_loop.try_lock()) {
      interrupt.look(true);
      std::this_thread::sleep_for(kSpinFor);
    }
    const auto num_workers = static_cast<std::size_t>(num_threads - 1);
    while (workers_.size() < num_workers) {
      workers_.push_back(std::make_unique<Worker>(static_cast<int>(workers_.size()) + 1));
    }
    for (std::size_t k = 0; k < num_workers; ++k) workers_[k]->start(loop);
    loop.work(0);
    for (std::size_t k = 0; k < num_workers; ++k) workers_[k]->wait(interrupt);
  }

 private:
  std::mutex busy_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

/// This process's pool. Threads do not survive a fork, so a child makes its own; a pool is never
/// destroyed, because its threads sleep until the process ends.
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

void parallel_for(int num_threads, std::int64_t num_items, std::int64_t piece, Interrupt& interrupt,
                  const Body& body) {
  Loop loop{&body, num_items, piece, {}, {}, {}};
  const std::int64_t pieces = (num_items + piece - 1) / piece;
  const int useful = static_cast<int>(std::min<std::int64_t>(num_threads, pieces));
  if (useful <= 1) {
    loop.work(0);
  } else {
    pool().run(useful, loop, interrupt);
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
  interrupt.look(false);
}

}  // namespace isingprop

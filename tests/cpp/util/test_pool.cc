#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/common.h"
#include "util/pool.h"

namespace isingprop::test {
namespace {

using Counts = std::vector<std::atomic<int>>;

bool all_once(const Counts& counts) {
  bool once = true;
  for (const std::atomic<int>& count : counts) once = once && count.load() == 1;
  return once;
}

/// Counts how often each item is done. Returns false if a piece is not as parallel_for() promises.
bool count_items(int num_threads, std::int64_t piece, Counts& counts) {
  const auto num_items = static_cast<std::int64_t>(counts.size());
  std::atomic<bool> good{true};
  Interrupt interrupt = never();
  parallel_for(num_threads, num_items, piece, interrupt,
               [&](int thread, std::int64_t first, std::int64_t last) {
                 if (thread < 0 || thread >= num_threads || first % piece != 0 || last <= first ||
                     last - first > piece) {
                   good = false;
                 }
                 for (std::int64_t k = first; k < last; ++k) ++counts[static_cast<std::size_t>(k)];
               });
  return good;
}

TEST_CASE("thousands of short loops in a row") {
  for (int loop = 0; loop < 2000; ++loop) {
    Counts counts(4);
    REQUIRE(count_items(2 + loop % 3, 1, counts));
    REQUIRE(all_once(counts));
  }
}

TEST_CASE("every item is done exactly once") {
  for (const int num_threads : {1, 2, 3, 8, 17, 64}) {  // more and fewer than the call before had
    for (const std::size_t num_items : {0, 1, 2, 63, 1000}) {
      for (const std::int64_t piece : {1, 3, 32, 5000}) {
        CAPTURE(num_threads);
        Counts counts(num_items);
        CHECK(count_items(num_threads, piece, counts));
        CHECK(all_once(counts));
      }
    }
  }
}

TEST_CASE("loops of several callers at a time take turns") {
  std::vector<std::thread> callers;
  std::atomic<int> good{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&good] {
      for (int loop = 0; loop < 50; ++loop) {
        Counts counts(100);
        if (count_items(3, 7, counts) && all_once(counts)) ++good;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(good == 4 * 50);
}

TEST_CASE("an exception of any thread leaves the loop, and the pool keeps working") {
  for (const int num_threads : {1, 2, 8}) {
    for (const std::int64_t bad : {0, 50, 99}) {
      Interrupt interrupt = never();
      std::string message;
      try {
        parallel_for(num_threads, 100, 1, interrupt, [&](int, std::int64_t first, std::int64_t) {
          if (first == bad) throw std::out_of_range("item " + std::to_string(first));
        });
      } catch (const std::out_of_range& error) {
        message = error.what();
      }
      CHECK(message == "item " + std::to_string(bad));
      Counts counts(100);
      CHECK(count_items(num_threads, 1, counts));
      CHECK(all_once(counts));
    }
  }
}

TEST_CASE("one exception leaves the loop if every thread throws") {
  Interrupt interrupt = never();
  const auto loop = [&] {
    parallel_for(4, 1000, 1, interrupt,
                 [](int, std::int64_t, std::int64_t) { throw std::bad_alloc(); });
  };
  CHECK_THROWS_AS(loop(), std::bad_alloc);
}

TEST_CASE("an interrupt stops a loop within a few pieces") {
  constexpr std::int64_t kPieces = 100'000, kAFew = 100;
  for (const int num_threads : {1, 2, 4}) {
    std::atomic<std::int64_t> done{0}, done_when_asked{0};
    Interrupt interrupt([&] {
      done_when_asked = done.load();
      return true;
    });
    const auto loop = [&] {
      parallel_for(num_threads, kPieces, 1, interrupt, [&](int thread, std::int64_t, std::int64_t) {
        if (thread == 0) interrupt.poll();
        if (interrupt.stopped()) throw Interrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ++done;
      });
    };
    CHECK_THROWS_AS(loop(), Interrupted);
    CHECK(done - done_when_asked < kAFew);
    CHECK(done < kPieces);
  }
}

TEST_CASE("the calling thread polls while it waits for the others") {
  Interrupt interrupt([] { return true; });
  std::atomic<bool> other_at_work{false};
  const auto loop = [&] {
    parallel_for(2, 2, 1, interrupt, [&](int thread, std::int64_t, std::int64_t) {
      if (thread == 0) {
        while (!other_at_work) std::this_thread::yield();
        return;
      }
      other_at_work = true;
      const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (!interrupt.stopped() && std::chrono::steady_clock::now() < patience)
        std::this_thread::yield();
      if (interrupt.stopped()) throw Interrupted();
    });
  };
  CHECK_THROWS_AS(loop(), Interrupted);
}

TEST_CASE("a poll calls its function at most once in ten milliseconds") {
  int asked = 0;
  Interrupt interrupt([&] { return ++asked > 1000; });
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100))
    interrupt.poll();
  CHECK(asked >= 1);
  CHECK(asked <= 11);
  CHECK(!interrupt.stopped());
}

TEST_CASE("a child of fork, which has no threads, starts its own") {
  Counts counts(100);
  CHECK(count_items(4, 1, counts));
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);  // s: a child that waits for threads it does not have ends by a signal
    Counts own(100);
    _exit(count_items(4, 1, own) && all_once(own) ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  Counts after(100);
  CHECK(count_items(4, 1, after));
  CHECK(all_once(after));
}

}  // namespace
}  // namespace isingprop::test

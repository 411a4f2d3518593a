#include <doctest/doctest.h>

#include <cmath>
#include <utility>

#include "samplers/ladder.h"
#include "support/sparse_couplings.h"
#include "support/tempering_task.h"

namespace isingprop::test {
namespace {

/// One read in scalar code, as samplers/tempering.h describes it.
class Twin {
 public:
  Twin(const TemperingTask<float>& task, std::int64_t b, std::int64_t read)
      : plan_(task.plan), grid_(task.grid()), ladder_(plan_.num_betas, plan_.target) {
    const std::uint64_t key = stream_key(task.reads.seed, task.streams[static_cast<std::size_t>(b)],
                                         static_cast<std::uint64_t>(read));
    random_ = fold(key, 0);
    const std::int8_t* initial = task.reads.initial_of(b, read);
    for (std::int64_t k = 0; k < plan_.num_betas; ++k) {
      ScalarChain replica = task.twin(grid_, b);
      std::vector<std::uint32_t> words(kGeneratorWords);
      seed_generator(fold(key, static_cast<std::uint64_t>(k) + 1), words.data());
      replica.set_words(words);
      if (initial == nullptr) {
        replica.seed_signs();
      } else {
        replica.hidden.spins = {initial, initial + task.sizes.num_hidden};
        replica.output.spins = {initial + task.sizes.num_hidden, initial + task.num_spins()};
      }
      replicas_.push_back(replica);
      at_.push_back(static_cast<std::size_t>(k));
    }
    ladder_.begin(plan_.betas);
    run();
  }

  std::vector<std::int8_t> spins() const {
    ScalarChain end =
        plan_.target < 0 ? lowest_.front() : replicas_[at_[static_cast<std::size_t>(plan_.target)]];
    if (plan_.target < 0) end.descend();
    std::vector<std::int8_t> all = end.hidden.spins;
    append(all, end.output.spins);
    return all;
  }
  const std::vector<double>& betas() const { return ladder_.betas(); }
  double acceptance(std::size_t gap) const {
    double tried = 0.0, done = 0.0;
    for (const Swap& swap : swaps_) {
      if (swap.gap != gap) continue;
      tried += 1.0;
      done += swap.done ? 1.0 : 0.0;
    }
    return done / tried;  // NaN where none was tried
  }
  std::int64_t round_trips() const {
    std::int64_t trips = 0;
    for (std::size_t replica = 0; replica < at_.size(); ++replica) {
      bool away = false;
      for (const auto& [first, last] : ends_) {
        if (first == replica) {
          trips += away;
          away = false;
        } else if (last == replica) {
          away = true;
        }
      }
    }
    return trips;
  }

 private:
  struct Swap {
    std::size_t gap;
    bool done;
  };

  void run() {
    const std::int64_t burn_in = plan_.adaptive ? plan_.num_sweeps / 2 : 0;
    for (std::int64_t sweep = 0; sweep < plan_.num_sweeps; ++sweep) {
      std::vector<float> slopes = find_slopes();
      std::vector<double> energies;
      for (std::size_t k = 0; k < at_.size(); ++k) {
        ScalarChain& replica = replicas_[at_[k]];
        replica.sweep(slopes[k]);
        energies.push_back(replica.energy());
        if (lowest_.empty() || energies.back() < lowest_.front().energy()) lowest_ = {replica};
      }
      if (sweep < burn_in && ladder_.adapt(slopes, energies)) slopes = find_slopes();
      if (sweep == burn_in) {
        swaps_.clear();
        ends_.clear();
      }
      for (std::size_t k = static_cast<std::size_t>(sweep % 2); k + 1 < at_.size(); k += 2) {
        const auto random = static_cast<std::uint32_t>(mix(random_ += kGoldenGamma) >> 32);
        const double gain = 0.5 * (double{slopes[k]} - double{slopes[k + 1]}) *
                            (energies[k] - energies[k + 1]);  // log2 of a weight
        swaps_.push_back({k, flips(random, gain)});
        if (swaps_.back().done) std::swap(at_[k], at_[k + 1]);
      }
      ends_.emplace_back(at_.front(), at_.back());
    }
  }

  std::vector<float> find_slopes() const {
    std::vector<float> slopes;
    for (const double beta : ladder_.betas()) slopes.push_back(slope_of(beta, grid_));
    return slopes;
  }

  TemperingPlan plan_;
  CouplingGrid grid_;
  Ladder ladder_;  ///< see test_ladder.cc
  std::vector<ScalarChain> replicas_, lowest_;
  std::vector<std::size_t> at_;  ///< the replica on each rung
  std::vector<Swap> swaps_;
  std::vector<std::pair<std::size_t, std::size_t>> ends_;
  std::uint64_t random_ = 0;
};

/// Compares every read of the first two problems with its twin.
void check_twins(TemperingTask<float>& task) {
  task.keep(0, 2);
  task.plan.relative = false;
  const TemperingOutcome result = task.run();
  for (std::int64_t row = 0; row < task.num_chains(); ++row) {
    const Twin twin(task, row / task.reads.num_reads, row % task.reads.num_reads);
    CHECK(row_of(result.spins, row, task.num_spins()) == twin.spins());
    const std::vector<double> betas = row_of(result.betas, row, task.plan.num_betas);
    for (std::size_t k = 0; k < betas.size(); ++k) {
      CHECK(
          betas[k] ==
          doctest::Approx(twin.betas()[k]).epsilon(1e-12));  // energies are summed in another order
    }
    const std::vector<double> acceptance = row_of(result.acceptance, row, task.plan.num_betas - 1);
    for (std::size_t k = 0; k < acceptance.size(); ++k) {
      CHECK(same_bits(std::vector{std::abs(acceptance[k])},
                      std::vector{std::abs(twin.acceptance(k))}));
    }
    CHECK(result.round_trips[static_cast<std::size_t>(row)] == twin.round_trips());
  }
}

TEST_CASE("a read is its scalar twin, bit for bit") {
  for (const Sizes& sizes : {Sizes{33, 20}, Sizes{3, 40}}) {
    for (const bool adaptive : {false, true}) {
      for (const std::int64_t target : {-1, 0, 3, 6}) {
        TemperingTask<float> task(sizes);
        task.plan.adaptive = adaptive;
        task.plan.target = target;
        check_twins(task);
      }
    }
  }
}

TEST_CASE("a read of few sweeps is its scalar twin") {
  for (const std::int64_t num_sweeps : {1, 2, 3, 31, 32, 33}) {
    for (const bool adaptive : {false, true}) {
      TemperingTask<float> task(Sizes{17, 5});
      task.plan.num_sweeps = num_sweeps;
      task.plan.adaptive = adaptive;
      check_twins(task);
    }
  }
}

TEST_CASE("a read of few rungs is its scalar twin; one rung is a chain at constant temperature") {
  for (const std::int64_t num_betas : {1, 2, 3}) {
    for (const bool adaptive : {false, true}) {
      TemperingTask<float> task(Sizes{17, 5});
      task.rise(num_betas);
      task.plan.target = num_betas - 1;
      task.plan.adaptive = adaptive;
      check_twins(task);
    }
  }
}

TEST_CASE("a read whose rows are stored as spans is its scalar twin") {
  for (const SparseCouplings& sparse : sparse_couplings()) {
    CAPTURE(sparse.name);
    TemperingTask<float> task(sparse.sizes, sparse.couplings);
    REQUIRE(task.grid().hidden_spans() != nullptr);
    task.rise(4);
    task.plan.num_sweeps = 40;
    task.reads.num_reads = 1;
    check_twins(task);
  }
}

TEST_CASE("a read whose spins have units of their own is its scalar twin") {
  for (const bool adaptive : {false, true}) {
    for (const std::int64_t target : {-1, 3}) {
      const Sizes sizes{33, 20};
      TemperingTask<float> task(sizes, graded_couplings(sizes));
      REQUIRE(task.grid().is_graded());
      task.plan.adaptive = adaptive;
      task.plan.target = target;
      check_twins(task);
    }
  }
}

TEST_CASE("a read from a start state, which all replicas get, is its scalar twin") {
  for (const std::int64_t target : {-1, 0, 6}) {
    TemperingTask<float> task(Sizes{33, 20});
    task.start_from_states();
    task.plan.num_sweeps = 2;
    task.plan.target = target;
    check_twins(task);
  }
}

}  // namespace
}  // namespace isingprop::test

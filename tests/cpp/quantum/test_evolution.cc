#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>

#include "quantum/evolution.h"
#include "support/common.h"

namespace isingprop::test {
namespace {

using Complex = std::complex<double>;
using std::numbers::pi;

template <class Real>
constexpr double kUlp = std::numeric_limits<Real>::epsilon();

/// Angles of steps: none, below and above pi / 4, several turns, and negative ones.
const std::vector<double> kAngles = {0.1, 0.0, -0.7, 0.9, 1.6, pi, 9.5, -20.0, 1e-9, pi / 4};

struct Steps {
  std::vector<double> phases, angles;

  explicit Steps(std::vector<double> steps) : angles(std::move(steps)) {
    for (std::size_t k = 0; k <= angles.size(); ++k)
      phases.push_back(0.3 - 0.05 * static_cast<double>(k));
  }
  Steps reversed() const {
    Steps back = *this;
    std::reverse(back.phases.begin(), back.phases.end());
    std::reverse(back.angles.begin(), back.angles.end());
    for (double& phase : back.phases) phase = -phase;
    for (double& angle : back.angles) angle = -angle;
    return back;
  }
};

template <class Real>
struct State {
  int num_qubits;
  std::vector<double> energies;
  std::vector<Real> amplitudes;
  double total = 0.0;  ///< as evolve gave it

  explicit State(int n, Random random = Random(5))
      : num_qubits(n),
        energies(random.reals<double>(std::int64_t{1} << n, -4.0, 4.0)),
        amplitudes(random.reals<Real>(std::int64_t{2} << n, -1.0, 1.0)) {
    double sum = 0.0;
    for (const Real x : amplitudes) sum += double{x} * x;
    for (Real& x : amplitudes) x = static_cast<Real>(x / std::sqrt(sum));
  }

  State& evolve(const Steps& steps, int num_threads, std::size_t offset = 0) {
    std::vector<Real> memory(offset + amplitudes.size());
    std::copy(amplitudes.begin(), amplitudes.end(),
              memory.begin() + static_cast<std::ptrdiff_t>(offset));
    Interrupt interrupt = never();
    const Evolution evolution{.num_qubits = num_qubits,
                              .energies = energies.data(),
                              .phases = steps.phases.data(),
                              .angles = steps.angles.data(),
                              .num_steps = static_cast<std::int64_t>(steps.angles.size()),
                              .num_threads = num_threads};
    total = isingprop::evolve(evolution, memory.data() + offset, interrupt);
    amplitudes.assign(memory.begin() + static_cast<std::ptrdiff_t>(offset), memory.end());
    return *this;
  }

  std::vector<Complex> plainly(const Steps& steps) const {
    std::vector<Complex> state;
    for (std::size_t k = 0; k < energies.size(); ++k)
      state.emplace_back(amplitudes[2 * k], amplitudes[2 * k + 1]);
    const auto turn = [&](double phase) {
      for (std::size_t k = 0; k < energies.size(); ++k)
        state[k] *= std::polar(1.0, -phase * energies[k]);
    };
    turn(steps.phases[0]);
    for (std::size_t step = 0; step < steps.angles.size(); ++step) {
      const Complex c = std::cos(steps.angles[step]), is(0.0, std::sin(steps.angles[step]));
      for (std::size_t bit = 1; bit < state.size(); bit *= 2) {
        for (std::size_t k = 0; k < state.size(); ++k) {
          if ((k & bit) != 0) continue;
          const Complex a = state[k], b = state[k | bit];
          state[k] = c * a + is * b;
          state[k | bit] = c * b + is * a;
        }
      }
      turn(steps.phases[step + 1]);
    }
    return state;
  }

  double distance(const std::vector<Complex>& other) const {
    double worst = 0.0;
    for (std::size_t k = 0; k < other.size(); ++k) {
      worst =
          std::max(worst, std::abs(Complex(amplitudes[2 * k], amplitudes[2 * k + 1]) - other[k]));
    }
    return worst;
  }
};

TEST_CASE_TEMPLATE("an evolution is the product of its steps", Real, float, double) {
  for (int num_qubits = 1; num_qubits <= 17; ++num_qubits) {
    CAPTURE(num_qubits);
    for (const std::size_t num_steps : {std::size_t{0}, std::size_t{1}, kAngles.size()}) {
      const Steps steps(
          {kAngles.begin(), kAngles.begin() + static_cast<std::ptrdiff_t>(num_steps)});
      State<Real> state(num_qubits);
      const std::vector<Complex> expected = state.plainly(steps);
      state.evolve(steps, 1);
      // A few roundings in each step; the plain one has as many in double precision.
      CHECK(state.distance(expected) < 2 * kUlp<Real> * static_cast<double>(1 + num_steps));
      CHECK(std::abs(state.total - 1.0) < 200 * kUlp<Real>);
    }
  }
}

TEST_CASE_TEMPLATE(
    "an evolution has the same bits on every table, for any number of threads and wherever it lies",
    Real, float, double) {
  const Steps steps(kAngles);
  for (const int num_qubits : {1, 2, 3, 4, 7, 14, 15, 16, 17}) {
    CAPTURE(num_qubits);
    State<Real> first(num_qubits);
    first.evolve(steps, 1);
    on_every_table([&] {
      for (const int num_threads : {1, 2, 3}) {
        for (const std::size_t offset : {0, 2, 6}) {
          State<Real> state(num_qubits);
          state.evolve(steps, num_threads, offset);
          CHECK(same_bits(state.amplitudes, first.amplitudes));
          CHECK(state.total == first.total);
        }
      }
    });
  }
}

TEST_CASE("the reversed evolution undoes an evolution") {
  const Steps steps(kAngles);
  for (const int num_qubits : {1, 5, 14, 16}) {
    const State<double> start(num_qubits);
    State<double> state = start;
    state.evolve(steps, 2);
    CHECK(state.amplitudes != start.amplitudes);
    state.evolve(steps.reversed(), 2);
    double worst = 0.0;
    for (std::size_t k = 0; k < state.amplitudes.size(); ++k) {
      worst = std::max(worst, std::abs(state.amplitudes[k] - start.amplitudes[k]));
    }
    CHECK(worst < 1e-13);
  }
}

TEST_CASE_TEMPLATE(
    "the sum of probabilities drifts by no more than two ulps of a double in each of many equal "
    "steps",
    Real, float, double) {
  constexpr std::size_t kSteps = 20'000;
  for (const double angle : {0.05, 0.31, 1.2}) {
    State<Real> state(6);
    const Steps steps(std::vector<double>(kSteps, angle));
    // Sines and cosines in single precision round up as often as down: errors grow with the root of
    // the steps.
    const double bound = sizeof(Real) == sizeof(double) ? 2 * kSteps * kUlp<double> : 5e-5;
    const double before = state.evolve(Steps(std::vector<double>{}), 1).total;
    CHECK(std::abs(state.evolve(steps, 1).total - before) < bound);
  }
}

TEST_CASE("an interrupt ends a long evolution soon") {
  const Steps steps(std::vector<double>(2'000'000, 0.1));  // half a minute of work, or many
  for (const int num_qubits : {10, 16}) {
    for (const int num_threads : {1, 3}) {
      State<double> state(num_qubits);
      std::chrono::steady_clock::time_point asked;
      Interrupt interrupt([&] {
        asked = std::chrono::steady_clock::now();
        return true;
      });
      const Evolution evolution{.num_qubits = num_qubits,
                                .energies = state.energies.data(),
                                .phases = steps.phases.data(),
                                .angles = steps.angles.data(),
                                .num_steps = 2'000'000,
                                .num_threads = num_threads};
      CHECK_THROWS_AS(evolve(evolution, state.amplitudes.data(), interrupt), Interrupted);
      CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(5));
    }
  }
}

// These bits are the same on every processor.
TEST_CASE("an evolution has the same bits as on every other machine") {
  const Steps steps(kAngles);
  CHECK(hash_of(State<double>(15).evolve(steps, 2).amplitudes) == 1449888043122659022u);
  CHECK(hash_of(State<float>(15).evolve(steps, 2).amplitudes) == 14850877965187584291u);
}

}  // namespace
}  // namespace isingprop::test

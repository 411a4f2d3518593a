#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>

#include "quantum/evolution.h"
#include "support.h"

namespace isingprop::test {
namespace {

using Complex = std::complex<double>;
using std::numbers::pi;

template <class Real>
constexpr double kUlp = std::numeric_limits<Real>::epsilon();

Interrupt never() {
  return Interrupt([] { return false; });
}

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

void turn(const KernelTable& table, const AmplitudeJob<float>& job, double quarters, double scale) {
  table.turn_f32(job, quarters, scale);
}
void turn(const KernelTable& table, const AmplitudeJob<double>& job, double quarters,
          double scale) {
  table.turn_f64(job, quarters, scale);
}
void rotate(const KernelTable& table, const RotationJob<float>& job) { table.rotate_f32(job); }
void rotate(const KernelTable& table, const RotationJob<double>& job) { table.rotate_f64(job); }

/// Amplitudes in rows whose energies are further apart than the rows themselves.
template <class Real>
struct Rows {
  std::int64_t num_rows, length, stride = length + 3;
  std::vector<Real> amplitudes;
  std::vector<double> energies;

  Rows(std::int64_t rows, std::int64_t row_length, double largest, Random random = Random(1))
      : num_rows(rows),
        length(row_length),
        amplitudes(random.reals<Real>(2 * rows * length, -1.0, 1.0)),
        energies(random.reals<double>(rows * stride, -largest, largest)) {}

  std::vector<Real> turned(const KernelTable& table, double quarters, double scale) const {
    std::vector<Real> out = amplitudes;
    turn(table, AmplitudeJob<Real>{out.data(), num_rows, length, energies.data(), stride}, quarters,
         scale);
    return out;
  }

  /// The largest error of a part, in units of Real's epsilon. What the kernel makes of energy times
  /// quarters is taken as it is rounded there; taking whole turns away is exact.
  double error(const std::vector<Real>& out, double quarters, double scale) const {
    double worst = 0.0;
    for (std::int64_t k = 0; k < num_rows * length; ++k) {
      const double energy = energies[size(k / length * stride + k % length)];
      const double angle = std::remainder(energy * quarters, 4.0) * (pi / 2);
      const Complex expected =
          Complex(amplitudes[size(2 * k)], amplitudes[size(2 * k + 1)]) * std::polar(scale, -angle);
      const Complex found(out[size(2 * k)], out[size(2 * k + 1)]);
      worst = std::max({worst, std::abs(expected.real() - found.real()),
                        std::abs(expected.imag() - found.imag())});
    }
    return worst / kUlp<Real>;
  }
};

constexpr double kFewUlps =
    4;  // a sum of two products whose factors are right to an ulp, here and in the kernel

TEST_CASE_TEMPLATE("a turn is the product with exp(-i angle E), and the same bits on every table",
                   Real, float, double) {
  for (const std::int64_t num_rows : {1, 2, 8}) {
    for (const std::int64_t length : {16, 32, 256, 4096}) {
      for (const double scale : {1.0, 0.25, -0.7}) {
        const Rows<Real> rows(num_rows, length, 5.0);
        const std::vector<Real> baseline = rows.turned(*available_kernels().front(), 0.37, scale);
        CHECK(rows.error(baseline, 0.37, scale) < kFewUlps);
        for (const KernelTable* table : available_kernels()) {
          CAPTURE(std::string(table->name));
          CHECK(same_bits(rows.turned(*table, 0.37, scale), baseline));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE(
    "a turn is right for phases from 1e-8 to 1e9 radians, and at multiples of pi / 4", Real, float,
    double) {
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    for (double largest = 1e-8; largest < 2e9; largest *= 10) {
      const Rows<Real> rows(1, 4096, largest);
      CHECK(rows.error(rows.turned(*table, 2 / pi, 1.0), 2 / pi, 1.0) < kFewUlps);
    }
    Rows<Real> eighths(1, 4096, 1.0);
    for (std::int64_t k = 0; k < 4096; ++k)
      eighths.energies[size(k)] = static_cast<double>(k - 2048) / 2;
    CHECK(eighths.error(eighths.turned(*table, 1.0, 1.0), 1.0, 1.0) < kFewUlps);
  }
}

TEST_CASE("a turn by whole multiples of pi / 2 is exact") {
  Rows<double> rows(1, 16, 1.0);
  for (std::int64_t k = 0; k < 16; ++k) {
    rows.energies[size(k)] = static_cast<double>(k - 8);
    rows.amplitudes[size(2 * k)] = 3.0;
    rows.amplitudes[size(2 * k + 1)] = 5.0;
  }
  const Complex of_quarters[] = {{3, 5}, {5, -3}, {-3, -5}, {-5, 3}};
  for (const KernelTable* table : available_kernels()) {
    const std::vector<double> out = rows.turned(*table, 1.0, 1.0);
    for (std::size_t k = 0; k < 16; ++k)
      CHECK(Complex(out[2 * k], out[2 * k + 1]) == of_quarters[k % 4]);
  }
}

TEST_CASE("the tangent is right to two ulps, and the same bits on every table") {
  for (int k = -1000; k <= 1000; ++k) {
    const double quarters = k / 2000.0, baseline = available_kernels().front()->tangent(quarters);
    CHECK(std::abs(baseline - std::tan(quarters * (pi / 2))) <=
          2 * kUlp<double> * std::abs(baseline));
    for (const KernelTable* table : available_kernels())
      CHECK(table->tangent(quarters) == baseline);
  }
}

/// One bit after the other, each pair of numbers on its own.
template <class Real>
void rotate_plainly(std::vector<Real>& reals, int first_bit, int last_bit, Real tangent) {
  for (int bit = first_bit; bit < last_bit; ++bit) {
    const std::size_t distance = std::size_t{2} << bit;
    for (std::size_t k = 0; k < reals.size(); ++k) {
      if ((k & distance) != 0) continue;
      const Real a = reals[k], b = reals[k + distance];
      reals[k] = a - tangent * b;
      reals[k + distance] = b + tangent * a;
    }
  }
}

/// What every table makes of one rotation.
template <class Real>
void check_rotation(int bits, int first_bit, int last_bit) {
  CAPTURE(bits);
  CAPTURE(first_bit);
  CAPTURE(last_bit);
  constexpr double kTangent = 0.6180339887;
  const std::vector<Real> before = Random(3).reals<Real>(std::int64_t{2} << bits, -1.0, 1.0);
  std::vector<Real> expected = before;
  rotate_plainly(expected, first_bit, last_bit, static_cast<Real>(kTangent));
  for (const KernelTable* table : available_kernels()) {
    CAPTURE(std::string(table->name));
    std::vector<Real> found = before;
    rotate(*table,
           RotationJob<Real>{found.data(), std::int64_t{1} << bits, first_bit, last_bit, kTangent});
    CHECK(same_bits(found, expected));
  }
}

TEST_CASE_TEMPLATE("a rotation has the bits of plain scalars, one pair after the other", Real,
                   float, double) {
  for (int bits = 4; bits <= 17; ++bits) {
    check_rotation<Real>(bits, 0, bits);
    for (int last = 1; last < bits; last += bits < 10 ? 1 : 3) check_rotation<Real>(bits, 0, last);
    for (int first = 4; first < bits; first += bits < 10 ? 1 : 4) {
      for (int last = first + 1; last <= bits; last += bits < 10 ? 1 : 3)
        check_rotation<Real>(bits, first, last);
    }
  }
}

struct Couplings {
  Sizes sizes;
  std::vector<double> couplings, hidden, output;

  Couplings(Sizes s, const std::vector<double>& values) : sizes(s) {
    auto at = values.begin();
    for (auto& [part, count] :
         {std::pair{&couplings, s.num_hidden * s.num_output}, std::pair{&hidden, s.num_hidden},
          std::pair{&output, s.num_output}}) {
      part->assign(at, at + count);
      at += count;
    }
  }

  double energy(std::int64_t state) const {
    const auto spin = [&](std::int64_t k) { return (state >> k & 1) != 0 ? 1.0 : -1.0; };
    double sum = 0.0;
    for (std::int64_t a = 0; a < sizes.num_output; ++a)
      sum += output[size(a)] * spin(sizes.num_hidden + a);
    for (std::int64_t i = 0; i < sizes.num_hidden; ++i) {
      sum += hidden[size(i)] * spin(i);
      for (std::int64_t a = 0; a < sizes.num_output; ++a) {
        sum += couplings[size(i * sizes.num_output + a)] * spin(i) * spin(sizes.num_hidden + a);
      }
    }
    return sum;
  }

  std::vector<double> table(int num_threads) const {
    std::vector<double> energies(std::size_t{1} << (sizes.num_hidden + sizes.num_output));
    Interrupt interrupt = never();
    fill_energies(
        {couplings.data(), hidden.data(), output.data(), sizes.num_hidden, sizes.num_output},
        num_threads, energies.data(), interrupt);
    return energies;
  }
};

TEST_CASE(
    "the table of energies has every state's own, on every table of kernels and any number of "
    "threads") {
  for (const Sizes& sizes :
       {Sizes{1, 1}, Sizes{1, 7}, Sizes{2, 1}, Sizes{3, 9}, Sizes{5, 5}, Sizes{12, 2}}) {
    std::vector<double> values;
    Random random(2);
    for (int k = 0; k < 100; ++k)
      values.push_back(static_cast<double>(random.below(2001) - 1000) / 8);  // sums exact
    const Couplings problem(sizes, values);
    for (const int num_threads : {1, 2, 3}) {
      on_every_table([&] {
        const std::vector<double> energies = problem.table(num_threads);
        bool right = true;
        for (std::size_t k = 0; k < energies.size(); ++k) {
          right = right && energies[k] == problem.energy(static_cast<std::int64_t>(k));
        }
        CHECK(right);
      });
    }
  }
}

/// Steps of all sizes: no rotation, below and above pi / 4, several turns, and backward.
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
    std::vector<Real> room(offset + amplitudes.size());
    std::copy(amplitudes.begin(), amplitudes.end(),
              room.begin() + static_cast<std::ptrdiff_t>(offset));
    Interrupt interrupt = never();
    const Evolution evolution{num_qubits,
                              energies.data(),
                              steps.phases.data(),
                              steps.angles.data(),
                              static_cast<std::int64_t>(steps.angles.size()),
                              num_threads};
    total = isingprop::evolve(evolution, room.data() + offset, interrupt);
    amplitudes.assign(room.begin() + static_cast<std::ptrdiff_t>(offset), room.end());
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

TEST_CASE("backward undoes forward") {
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
      const Evolution evolution{num_qubits,          state.energies.data(),
                                steps.phases.data(), steps.angles.data(),
                                2'000'000,           num_threads};
      CHECK_THROWS_AS(evolve(evolution, state.amplitudes.data(), interrupt), Interrupted);
      CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(5));
      Couplings problem({1, 1}, {1.0, 2.0, 3.0});
      const TableTask task{problem.couplings.data(), problem.hidden.data(), problem.output.data(),
                           1, 1};
      CHECK_THROWS_AS(fill_energies(task, num_threads, state.energies.data(), interrupt),
                      Interrupted);
    }
  }
}

// The same on every processor.
TEST_CASE("the same bits as on every other machine") {
  const Steps steps(kAngles);
  CHECK(hash_of(State<double>(15).evolve(steps, 2).amplitudes) == 1449888043122659022u);
  CHECK(hash_of(State<float>(15).evolve(steps, 2).amplitudes) == 14850877965187584291u);
}

}  // namespace
}  // namespace isingprop::test

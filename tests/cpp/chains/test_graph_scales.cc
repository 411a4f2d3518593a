#include <doctest/doctest.h>

#include <cmath>

#include "chains/local_scales.h"
#include "support/given_graph.h"
#include "support/given_problem.h"
#include "support/sparse_couplings.h"

namespace isingprop::test {
namespace {

constexpr double kTolerance = 1e-5;  // sums of J^2 are floats
constexpr double kRelative[] = {0.5, 0.88, 1.3, 3.0, 7.0, 8.8, 20.0};

/// Checks that a two-coloured problem has the same scales as a graph and as a grid.
void check_like_grid(const GivenProblem<double>& problem) {
  const auto [num_hidden, num_output] = problem.sizes;
  GivenGraph graph(problem.num_spins());
  for (std::int64_t i = 0; i < num_hidden; ++i) {
    for (std::int64_t a = 0; a < num_output; ++a) {
      const double coupling = problem.couplings[size(i * num_output + a)];
      if (coupling != 0.0) graph.couple(i, num_hidden + a, coupling);
    }
  }
  graph.fields = problem.hidden_fields;
  graph.fields.insert(graph.fields.end(), problem.output_fields.begin(),
                      problem.output_fields.end());

  const CouplingGrid grid(problem.problem());
  LocalScales of_grid(grid);
  std::vector<float> fields(size(padded(num_hidden) + padded(num_output)));
  const auto at = [&](std::int64_t k) {
    return k < num_hidden ? k : padded(num_hidden) + k - num_hidden;
  };
  for (std::int64_t k = 0; k < problem.num_spins(); ++k) {
    const double field = graph.fields[size(k)];
    fields[size(at(k))] = static_cast<float>(std::ldexp(field, -grid.exponent(at(k))));
  }
  of_grid.load(fields.data());

  const GraphScales found(graph);
  for (std::int64_t k = 0; k < problem.num_spins(); ++k) {
    const double g = std::exp2(of_grid.log2_scale(at(k)) + grid.exponent());
    CHECK(found.g(k) == doctest::Approx(g).epsilon(kTolerance));
  }
  const double mean_g = std::exp2(of_grid.mean_log2_scale() + grid.exponent());
  CHECK(found.mean_g() == doctest::Approx(mean_g).epsilon(kTolerance));
  for (const double relative : kRelative) {
    CHECK(found.scales.reduced(relative) ==
          doctest::Approx(of_grid.reduced(relative)).epsilon(kTolerance));
  }
}

TEST_CASE("a two-coloured graph has the scales of its grid") {
  Random random(11);
  for (const double field : {0.0, 0.5, 3.0}) {
    for (const bool glass : {false, true}) {
      const SparseCouplings lattice = square_lattice(8);
      GivenProblem<double> problem(lattice.sizes);
      for (std::size_t k = 0; k < lattice.couplings.size(); ++k) {
        const double sign = glass && random.below(2) == 0 ? 1.0 : -1.0;
        if (lattice.couplings[k] != 0.0f) problem.couplings[k] = sign;
      }
      for (auto* fields : {&problem.hidden_fields, &problem.output_fields}) {
        for (double& each : *fields) each = field * random.uniform(-1.0, 1.0);
      }
      check_like_grid(problem);
    }
  }

  GivenProblem<double> halves({20, 19});  // spins of two scales share the sweeps
  for (std::int64_t a = 0; a < 19; ++a) {
    halves.coupling(a, a) = halves.coupling(a + 1, a) = a < 10 ? 128.0 : 1.0;
  }
  check_like_grid(halves);
}

TEST_CASE("parts of a graph have scales of their own") {
  for (const int power : {0, 5, 200}) {
    GivenGraph graph(6);
    for (const std::int64_t first : {0, 3}) {
      const double scale = first == 0 ? 1.0 : std::ldexp(1.0, power);
      for (const std::int64_t k : {0, 1}) graph.couple(first + k, first + k + 1, scale);
      graph.couple(first, first + 2, scale);
    }
    const GraphScales found(graph);
    for (std::int64_t k = 0; k < 6; ++k) {  // two couplings each
      const double g = std::ldexp(std::sqrt(2.0), k < 3 ? 0 : power);
      CHECK(found.g(k) == doctest::Approx(g).epsilon(1e-12));
    }
    for (const double relative : kRelative) {
      CHECK(found.scales.reduced(relative) == doctest::Approx(relative).epsilon(1e-12));
    }
  }
}

TEST_CASE("a ring of odd length has the scale of one of even length") {
  for (const double coupling : {-1.0, 1.0}) {
    for (const std::int64_t length : {8, 9, 101}) {
      GivenGraph ring(length);
      for (std::int64_t k = 0; k < length; ++k) ring.couple(k, (k + 1) % length, coupling);
      CHECK(GraphScales(ring).g(0) == doctest::Approx(std::sqrt(2.0)).epsilon(1e-12));
    }
  }
}

/// Returns a periodic lattice of triangles, in which each spin has six neighbours.
GivenGraph triangles(std::int64_t length, double coupling) {
  GivenGraph lattice(length * length);
  for (std::int64_t i = 0; i < length; ++i) {
    for (std::int64_t j = 0; j < length; ++j) {
      const std::int64_t down = (i + 1) % length, right = (j + 1) % length;
      for (const std::int64_t other :
           {down * length + j, i * length + right, down * length + right}) {
        lattice.couple(i * length + j, other, coupling);
      }
    }
  }
  return lattice;
}

TEST_CASE("the spins of a triangular ferromagnet add up, those of an antiferromagnet do not") {
  CHECK(GraphScales(triangles(12, -1.0)).g(5) == doctest::Approx(6.0).epsilon(1e-12));
  CHECK(GraphScales(triangles(12, 1.0)).g(5) == doctest::Approx(std::sqrt(6.0)).epsilon(1e-12));
}

TEST_CASE("in a complete graph, a ferromagnet in disguise adds up, and a spin glass does not") {
  Random random(12);
  const std::int64_t count = 40;
  for (const double wrong : {0.0, 0.2, 0.5}) {
    GivenGraph graph(count);
    std::vector<double> signs(size(count));
    for (double& sign : signs) sign = random.below(2) == 0 ? 1.0 : -1.0;
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        const double right = random.uniform(0.0, 1.0) < wrong ? 1.0 : -1.0;
        graph.couple(i, j, 0.5 * right * signs[size(i)] * signs[size(j)]);
      }
    }
    const double pairs = static_cast<double>(count - 1), order = 1.0 - 2.0 * wrong;
    const double squares = pairs + order * order * pairs * (pairs - 1.0);
    CHECK(GraphScales(graph).g(0) == doctest::Approx(0.5 * std::sqrt(squares)).epsilon(0.1));
  }
}

TEST_CASE("one strong coupling of a complete graph counts for its two spins only") {
  Random random(13);
  for (const double strong : {1.0, 400.0}) {
    GivenGraph graph(30);
    for (std::int64_t i = 0; i < 30; ++i) {
      for (std::int64_t j = 0; j < i; ++j) graph.couple(i, j, random.below(2) == 0 ? 1.0 : -1.0);
    }
    graph.couple(3, 5, strong);
    const double logs =
        28.0 / 30.0 * 0.5 * std::log(29.0) + 2.0 / 30.0 * 0.5 * std::log(28.0 + strong * strong);
    CHECK(GraphScales(graph).g(0) == doctest::Approx(std::exp(logs)).epsilon(1e-6));
  }
}

TEST_CASE("isolated spins have their field as their scale") {
  GivenGraph graph(4);
  graph.couple(1, 3, 0.5);
  graph.fields = {-4.0, 0.0, 0.0, 0.0};
  const GraphScales found(graph);
  CHECK(found.g(0) == doctest::Approx(4.0).epsilon(1e-14));
  CHECK(found.g(1) == doctest::Approx(0.5).epsilon(1e-14));
  CHECK(found.g(2) == doctest::Approx(1.0).epsilon(1e-14));
  CHECK(found.mean_g() == doctest::Approx(0.5).epsilon(1e-14));
}

TEST_CASE("a single spin has its field as its scale, or 1") {
  for (const double field : {-3.0, 0.0}) {
    GivenGraph single(1);
    single.fields = {field};
    const GraphScales found(single);
    CHECK(found.g(0) == doctest::Approx(field == 0.0 ? 1.0 : 3.0).epsilon(1e-14));
    for (const double relative : kRelative) CHECK(found.scales.reduced(relative) == relative);
  }
}

}  // namespace
}  // namespace isingprop::test

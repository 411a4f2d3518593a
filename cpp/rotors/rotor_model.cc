#include "rotors/rotor_model.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace isingprop {

RotorModel::RotorModel(const RotorProblem& problem)
    : first_(static_cast<std::size_t>(problem.num_rotors) + 1),
      neighbours_(2 * static_cast<std::size_t>(problem.num_couplings)),
      fields_(problem.fields, problem.fields + problem.num_rotors),
      offsets_(problem.offsets, problem.offsets + problem.num_rotors) {
  // first_[i + 1] is the number of neighbours of i, then the place of its first one, then of the
  // next one to be written, which in the end is the place behind its last one.
  const std::int64_t num_ends = 2 * problem.num_couplings;
  for (std::int64_t k = 0; k < num_ends; ++k) {
    ++first_[static_cast<std::size_t>(problem.ends[k]) + 1];
  }
  std::int64_t place = 0;
  for (std::size_t i = 1; i < first_.size(); ++i) {
    const std::int64_t degree = first_[i];
    first_[i] = place;
    place += degree;
  }
  for (std::int64_t k = 0; k < num_ends; ++k) {
    const auto i = static_cast<std::size_t>(problem.ends[k]);
    neighbours_[static_cast<std::size_t>(first_[i + 1]++)] = {
        .rotor = static_cast<std::int32_t>(problem.ends[k ^ 1]),
        .coupling = static_cast<float>(problem.couplings[k / 2])};
  }

  const auto below = [](const RotorNeighbour& a, const RotorNeighbour& b) {
    return a.rotor < b.rotor;
  };
  const auto equal = [](const RotorNeighbour& a, const RotorNeighbour& b) {
    return a.rotor == b.rotor;
  };
  for (std::size_t i = 0; i + 1 < first_.size(); ++i) {
    const auto begin = neighbours_.begin() + first_[i], end = neighbours_.begin() + first_[i + 1];
    std::sort(begin, end, below);
    const auto twice = std::adjacent_find(begin, end, equal);
    if (twice == end) continue;
    throw std::invalid_argument("ends must have each pair once, got " + std::to_string(i) +
                                " and " + std::to_string(twice->rotor) + " twice");
  }
}

RotorBlock RotorModel::block() const {
  return {.num_rotors = num_rotors(),
          .num_reads = 0,
          .num_lanes = 0,
          .first = first_.data(),
          .neighbours = neighbours_.data(),
          .fields = fields_.data(),
          .offsets = offsets_.data(),
          .angles = nullptr,
          .cosines = nullptr,
          .sines = nullptr,
          .generators = nullptr};
}

}  // namespace isingprop

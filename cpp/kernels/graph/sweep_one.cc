/// A sweep of one read over the spins of any graph, sixteen spins at a time.
///
/// The states are those of sweep_reads.cc: one spin after the other, with the same random numbers.
/// Here the lanes of a vector are spins, and the coupling fields k_i = sum_j J_ij s_j are kept: a
/// spin that flips adds 2 J s to the fields of its neighbours.
///
/// - On a sparse graph the spins of a *run* do not couple to each other, so that all may be tested
/// at once.
///   Most groups of 16 spins are one run, since the order of a sweep is by colours.
/// - On a dense graph the spins of a group are tested at once, the first one that flips is taken,
/// and
///   the ones after it are tested again with its row added:
///
///       flips of the test:  0100 1000   ->   spin 1 flips; of the test after it:  0000 0010   ->
///       spin 6
///
///   The rows are added to the fields of all other spins together at the end of the group.
///
/// Work per sweep: one random number for each spin, and as many additions as neighbours for each
/// flip.
#include "kernels/graph/fine_acceptance.h"
#include "kernels/graph/graph_rows.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

using QuadU = std::uint32_t __attribute__((vector_size(16)));

/// The four generators of a read; see metropolis/xoshiro.h.
struct QuadGenerator {
  QuadU a, b, c, d;

  inline __attribute__((always_inline)) QuadU next() {
    const QuadU result = a + d, old_a = a, old_b = b, mixed = d ^ b;
    a ^= d ^ b;
    b ^= c ^ old_a;
    c ^= old_a ^ (old_b << 9);
    d = (mixed << 11) | (mixed >> 21);
    return result;
  }
};

ISINGPROP_INLINE QuadGenerator load_generator(const OneRead& read) {
  const std::uint32_t* words = read.generators;
  return {load<QuadU>(words), load<QuadU>(words + kStreams), load<QuadU>(words + 2 * kStreams),
          load<QuadU>(words + 3 * kStreams)};
}

ISINGPROP_INLINE void store_generator(const QuadGenerator& generator, const OneRead& read) {
  store(read.generators, generator.a);
  store(read.generators + kStreams, generator.b);
  store(read.generators + 2 * kStreams, generator.c);
  store(read.generators + 3 * kStreams, generator.d);
}

/// One group of spins: what does not change while they are updated.
struct Group {
  std::int64_t begin;
  std::uint32_t randoms[kGroup];
  VecF thresholds[kParts];
};

/// Returns the fields h + k of a vector of spins.
ISINGPROP_INLINE VecF fields_at(const GraphRows& rows, const OneRead& read, std::int64_t at) {
  return load<VecF>(rows.own_fields + at) + load<VecF>(read.coupling_fields + at);
}

ISINGPROP_INLINE VecF slopes_at(const GraphRows& rows, float slope, std::int64_t at) {
  return lesser(slope * load<VecF>(rows.gains + at), splat(kLargestGraphSlope));
}

/// Metropolis's rule at one slope.
struct Metropolis {
  const GraphRows& rows;
  float slope;
  QuadGenerator* generator;

  inline __attribute__((always_inline)) void begin(Group& group) const {
    for (int k = 0; k < kGroup; k += kStreams) store(group.randoms + k, generator->next());
    for (int part = 0; part < kParts; ++part) {
      group.thresholds[part] = fine_threshold(load<VecU>(group.randoms + part * kWidth));
    }
  }

  /// Returns one bit for each spin of a group among `mask` that flips, if k are the coupling
  /// fields.
  inline __attribute__((always_inline)) unsigned flips(const Group& group, const OneRead& read,
                                                       const VecF* k, unsigned mask) const {
    unsigned certain = 0, possible = 0;
    for (int part = 0; part < kParts; ++part) {
      const std::int64_t at = group.begin + part * kWidth;
      const VecF field = load<VecF>(rows.own_fields + at) + k[part];
      const VecF lowering =
          reinterpret_cast<VecF>(reinterpret_cast<VecU>(field) ^ load<VecU>(read.signs + at));
      const FineTest test =
          test_finely(group.thresholds[part], kUnit * slopes_at(rows, slope, at) * lowering);
      certain |= bits(test.certain) << (part * kWidth);
      possible |= bits(test.possible) << (part * kWidth);
    }

    const unsigned open = (certain ^ possible) & mask;
    if (__builtin_expect(open != 0, 0)) certain = decide(group, read, k, certain, open);
    return certain & mask;
  }

  __attribute__((noinline, cold)) unsigned decide(const Group& group, const OneRead& read,
                                                  const VecF* k, unsigned certain,
                                                  unsigned open) const {
    for (; open != 0; open &= open - 1) {
      const int lane = __builtin_ctz(open);
      const std::int64_t spin = group.begin + lane;
      const float field = rows.own_fields[spin] + k[lane / kWidth][lane % kWidth];
      const float product = slope * rows.gains[spin];
      const float own_slope = product < kLargestGraphSlope ? product : kLargestGraphSlope;
      const double x =
          static_cast<double>(own_slope) * static_cast<double>(read.signs[spin] ? -field : field);
      const unsigned bit = 1u << lane;
      certain = accepts(group.randoms[lane], x) ? certain | bit : certain & ~bit;
    }
    return certain;
  }
};

/// Zero temperature: a spin flips if that lowers the energy.
struct Lower {
  const GraphRows& rows;

  inline __attribute__((always_inline)) void begin(Group&) const {}

  inline __attribute__((always_inline)) unsigned flips(const Group& group, const OneRead& read,
                                                       const VecF* k, unsigned mask) const {
    unsigned result = 0;
    for (int part = 0; part < kParts; ++part) {
      const std::int64_t at = group.begin + part * kWidth;
      const VecF field = load<VecF>(rows.own_fields + at) + k[part];
      const VecF lowering =
          reinterpret_cast<VecF>(reinterpret_cast<VecU>(field) ^ load<VecU>(read.signs + at));
      result |= bits(greater(lowering, VecF{})) << (part * kWidth);
    }
    return result & mask;
  }
};

/// Flips a spin and adds the change to the coupling fields of its neighbours.
ISINGPROP_INLINE void flip_sparse(const GraphRows& rows, const OneRead& read, std::int64_t spin) {
  read.signs[spin] ^= kSignBit;
  const float sign = read.signs[spin] == 0 ? 1.0f : -1.0f;
  float* fields = read.coupling_fields;
  const Neighbour* end = rows.targets + rows.first[spin + 1];
  for (const Neighbour* target = rows.targets + rows.first[spin]; target < end; ++target) {
    fields[target->spin] += sign * target->twice;
  }
}

template <class Rule>
ISINGPROP_INLINE bool update_sparse(const GraphRows& rows, const OneRead& read, const Rule& rule,
                                    Group& group) {
  unsigned any = 0;
  const std::int64_t number = group.begin / kGroup;
  for (std::int64_t run = rows.runs_begin[number]; run < rows.runs_begin[number + 1]; ++run) {
    VecF k[kParts];
    for (int part = 0; part < kParts; ++part) {
      k[part] = load<VecF>(read.coupling_fields + group.begin + part * kWidth);
    }
    const unsigned flips = rule.flips(group, read, k, rows.runs[run]);
    for (unsigned left = flips; left != 0; left &= left - 1) {
      flip_sparse(rows, read, group.begin + __builtin_ctz(left));
    }
    any |= flips;
  }
  return any != 0;
}

/// Rows that are added in one pass over the fields.
constexpr int kRowsAtOnce = 4;

/// Adds the rows of spins, each times its sign, to the coupling fields of all spins.
template <int Rows>
ISINGPROP_INLINE void add_some_rows(const float* const* rows, const VecF* signs, float* fields,
                                    std::int64_t length) {
  for (std::int64_t at = 0; at < length; at += kWidth) {
    VecF sum = load<VecF>(fields + at);
    for (int row = 0; row < Rows; ++row) {
      sum = add_exact(sum, signs[row], load<VecF>(rows[row] + at));
    }
    store(fields + at, sum);
  }
}

/// Adds the rows of the spins of a group that have flipped to the coupling fields of all spins.
ISINGPROP_INLINE void add_rows(const GraphRows& rows, const OneRead& read, std::int64_t begin,
                               unsigned flips) {
  const std::int64_t length = padded(rows.num_spins);
  const float* of_flips[kGroup];
  VecF signs[kGroup];
  int count = 0;
  for (; flips != 0; flips &= flips - 1) {
    const std::int64_t spin = begin + __builtin_ctz(flips);
    of_flips[count] = rows.dense + spin * length;
    signs[count++] = one_with_sign(read.signs[spin]);
  }

  float* fields = read.coupling_fields;
  int row = 0;
  for (; row + kRowsAtOnce <= count; row += kRowsAtOnce) {
    add_some_rows<kRowsAtOnce>(of_flips + row, signs + row, fields, length);
  }
  if (count - row == 3) add_some_rows<3>(of_flips + row, signs + row, fields, length);
  if (count - row == 2) add_some_rows<2>(of_flips + row, signs + row, fields, length);
  if (count - row == 1) add_some_rows<1>(of_flips + row, signs + row, fields, length);
}

template <class Rule>
ISINGPROP_INLINE bool update_dense(const GraphRows& rows, const OneRead& read, const Rule& rule,
                                   Group& group) {
  const std::int64_t left = rows.num_spins - group.begin, stride = padded(rows.num_spins);
  unsigned mask = left >= kGroup ? (1u << kGroup) - 1 : (1u << left) - 1, any = 0;
  VecF k[kParts];
  for (int part = 0; part < kParts; ++part) {
    k[part] = load<VecF>(read.coupling_fields + group.begin + part * kWidth);
  }

  while (const unsigned flips = rule.flips(group, read, k, mask)) {
    const int lane = __builtin_ctz(flips);
    const std::int64_t spin = group.begin + lane;
    any |= 1u << lane;
    mask &= ~((2u << lane) - 1);
    read.signs[spin] ^= kSignBit;
    const VecF sign = one_with_sign(read.signs[spin]);
    for (int part = 0; part < kParts; ++part) {
      const float* row = rows.dense + spin * stride + group.begin + part * kWidth;
      k[part] = add_exact(k[part], sign, load<VecF>(row));
    }
  }
  if (any != 0) add_rows(rows, read, group.begin, any);
  return any != 0;
}

/// Updates all spins by a rule, and returns whether any has flipped.
template <class Rule>
ISINGPROP_INLINE bool sweep(const GraphRows& rows, const OneRead& read, const Rule& rule) {
  bool any = false;
  for (std::int64_t begin = 0; begin < rows.num_spins; begin += kGroup) {
    Group group;
    group.begin = begin;
    rule.begin(group);
    any |= rows.dense == nullptr ? update_sparse(rows, read, rule, group)
                                 : update_dense(rows, read, rule, group);
  }
  return any;
}

}  // namespace

/// Computes the coupling fields of one read from its spins.
void begin_one(const GraphRows& rows, const OneRead& read) {
  for (std::int64_t spin = 0; spin < padded(rows.num_spins); ++spin) {
    read.coupling_fields[spin] = spin < rows.num_spins ? rows.down_fields[spin] : 0.0f;
  }
  for (std::int64_t begin = 0; begin < rows.num_spins; begin += kGroup) {
    unsigned up = 0;
    for (int lane = 0; lane < kGroup && begin + lane < rows.num_spins; ++lane) {
      up |= unsigned{read.signs[begin + lane] == 0} << lane;
    }
    if (rows.dense != nullptr) {
      add_rows(rows, read, begin, up);
      continue;
    }
    for (; up != 0; up &= up - 1) {
      const std::int64_t spin = begin + __builtin_ctz(up);
      for (std::int64_t k = rows.first[spin]; k < rows.first[spin + 1]; ++k) {
        read.coupling_fields[rows.targets[k].spin] += rows.targets[k].twice;
      }
    }
  }
}

/// Sets each spin to +1 or -1 as start_reads() does. Padding is +1.
void start_one(std::int64_t num_spins, const OneRead& read) {
  QuadGenerator generator = load_generator(read);
  for (std::int64_t begin = 0; begin < num_spins; begin += kGroup) {
    for (int k = 0; k < kGroup; k += kStreams) {
      store(read.signs + begin + k, generator.next() & kSignBit);
    }
  }
  for (std::int64_t spin = num_spins; spin < padded(num_spins); ++spin) read.signs[spin] = 0;
  store_generator(generator, read);
}

/// Sweeps num_sweeps times over all spins, at slopes = 2 beta / ln 2 >= 0. Needs the coupling
/// fields, and leaves them right.
void sweep_one(const GraphRows& rows, const OneRead& read, const float* slopes,
               std::int64_t num_sweeps) {
  QuadGenerator generator = load_generator(read);
  for (std::int64_t t = 0; t < num_sweeps; ++t) {
    sweep(rows, read, Metropolis{rows, slopes[t], &generator});
  }
  store_generator(generator, read);
}

/// Flips the spins one after the other where that lowers the energy, and returns whether any did.
bool lower_one(const GraphRows& rows, const OneRead& read) {
  return sweep(rows, read, Lower{rows});
}

/// Finds bit `lane` of open[i], as open_reads() does, and returns whether any is set.
bool open_one(const GraphRows& rows, const OneRead& read, int lane, std::uint64_t* open) {
  bool any = false;
  for (std::int64_t spin = 0; spin < rows.num_spins; ++spin) {
    const float field = rows.own_fields[spin] + read.coupling_fields[spin];
    const float lowering = read.signs[spin] ? -field : field;
    const bool is_open = lowering > -rows.tolerances[spin];
    open[spin] &= ~(std::uint64_t{1} << lane);
    open[spin] |= std::uint64_t{is_open} << lane;
    any |= is_open;
  }
  return any;
}

/// Returns the energy of one read, as read_energies() does. Needs the coupling fields.
double one_energy(const GraphRows& rows, const OneRead& read) {
  double sum = 0.0;
  for (std::int64_t spin = 0; spin < rows.num_spins; ++spin) {
    const double own = static_cast<double>(rows.own_fields[spin]);
    const double fields = own + (own + static_cast<double>(read.coupling_fields[spin]));
    const double part = 0.5 * static_cast<double>(rows.gains[spin]) * fields;
    sum += read.signs[spin] ? -part : part;
  }
  return sum;
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

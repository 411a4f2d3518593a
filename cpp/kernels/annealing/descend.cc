/// Zero-temperature descent of one chain.
///
/// A spin flips if that lowers the energy: if s_i f_i > 0, where f_i = h_i + sum_j J_ij t_j. A spin
/// whose field is exactly 0 stays. Spins of one layer do not couple to each other, so that all
/// spins of a layer flip at once. For J = 1 between one hidden spin s and one output spin t, h_s =
/// 0.5 and h_t = 0:
///
///     s = +, t = +   E = 1.5    f_s = 1.5, s f_s > 0: s flips
///     s = -, t = +   E = -1.5   f_t = -1, t f_t < 0: t stays, and the descent ends
///
/// On one grid each pass lowers the energy, which is exact (see flips.h), so that it ends. On a
/// graded grid a coupling is rounded once for each of its two spins, and passes may go round in a
/// circle. There are therefore at most kMorePasses + (number of spins) passes, far more than a
/// descent on one grid takes; descend_exactly() finishes what is left.
#include "kernels/annealing/chain.h"
#include "kernels/annealing/flips.h"
#include "simd/lanes.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

constexpr std::int64_t kMorePasses = 1000;

/// Flips every spin of a layer that lowers the energy by it, and returns whether there was any.
bool lower_layer(const Layer& layer) {
  const auto test = [](std::int64_t, VecF gain) __attribute__((always_inline)) {
    const Lanes gains = greater(gain, VecF{});
    return LaneFlips{gains, gains};
  };
  const auto finish = [](std::int64_t, const WordFlips& flips)
                          __attribute__((always_inline)) { return flips.certain; };
  return flip_layer(layer, test, finish);
}

bool descend_layer(const Layer& layer, const Layer& other) {
  const bool any = lower_layer(layer);
  if (any) follow_flips(layer, other);
  return any;
}

bool is_settled(const Layer& layer) {
  unsigned open = 0;
  for (std::int64_t at = 0; at < padded(layer.num_spins); at += kWidth) {
    const VecF field = load<VecF>(layer.own_fields + at) + load<VecF>(layer.coupling_fields + at);
    const VecU signs = load<VecU>(layer.signs + at);
    const VecF lowering = reinterpret_cast<VecF>(reinterpret_cast<VecU>(field) ^ signs);
    open |= bits(greater(lowering, -load<VecF>(layer.tolerances + at)));
  }
  return open == 0;
}

}  // namespace

/// Flips spins, a layer at a time, until no single flip lowers the energy, or the passes are too
/// many.
///
/// Needs the coupling fields of both layers, or the spins alone if `begins`, and leaves both right.
void descend(const Chain& chain, bool begins) {
  const Layer &hidden = chain.hidden, &output = chain.output;
  if (begins) {
    fields_from(output, hidden);
    lower_layer(hidden);
    fields_from(hidden, output);  // only now, because the first flips are many
  } else {
    descend_layer(hidden, output);
  }

  std::int64_t passes = kMorePasses + hidden.num_spins + output.num_spins;
  while (descend_layer(output, hidden) && descend_layer(hidden, output) && --passes > 0) {
  }
}

/// Returns whether certainly no single flip lowers the energy: whether s_i f_i is at most minus the
/// tolerance of its rounding error, for all spins. Needs the coupling fields of both layers.
bool settled(const Chain& chain) { return is_settled(chain.hidden) && is_settled(chain.output); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

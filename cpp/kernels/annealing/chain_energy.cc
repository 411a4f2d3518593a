/// The energy of a chain as it stands, which parallel tempering needs after every sweep.
///
/// E = sum_i (h_i + k_i) s_i + sum_a g_a t_a, where the coupling fields k_i = sum_a J_ia t_a are
/// already there. For two hidden spins (+, -) with h = (1, 2) and k = (-0.5, 0.25), and one output
/// spin + with g = 3:
///
///     E = (1 - 0.5) - (2 + 0.25) + 3 = 1.25
#include "kernels/annealing/chain.h"
#include "simd/load.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// kBlock partial sums of a sum over spins: spin i is added to lane i % kBlock.
struct BlockSums {
  VecD lanes[kBlock / kDoubles] = {};
};

/// Adds s_i x_i for the spins of a layer, each product exact, times the gains if there are any. x
/// is as long as the padded layer; what it holds in the padding is ignored.
ISINGPROP_INLINE void add_signed(const Layer& layer, const float* x, BlockSums& sums) {
  for (std::int64_t i = 0; i < layer.num_spins; i += kBlock) {
    for (int part = 0; part < kParts; ++part) {
      const std::int64_t at = i + part * kWidth;
      const VecF numbers = load_first(x + at, layer.num_spins - at);
      float with_signs[kWidth];
      store(with_signs, reinterpret_cast<VecU>(numbers) ^ load<VecU>(layer.signs + at));

      for (int half = 0; half < 2; ++half) {
        VecD terms = load_doubles(with_signs + half * kDoubles);
        if (layer.gains != nullptr) terms *= load_doubles(layer.gains + at + half * kDoubles);
        sums.lanes[2 * part + half] += terms;
      }
    }
  }
}

/// Returns the sum of all lanes, as a tree whose order is the same on every target: lane l is added
/// to lane l + 8, then to + 4, + 2 and + 1.
ISINGPROP_INLINE double sum_of(BlockSums sums) {
  for (int left = kBlock / kDoubles / 2; left > 0; left /= 2) {
    for (int k = 0; k < left; ++k) sums.lanes[k] += sums.lanes[k + left];
  }

  double last[kDoubles];
  store(last, sums.lanes[0]);
  for (int left = kDoubles / 2; left > 0; left /= 2) {
    for (int lane = 0; lane < left; ++lane) last[lane] += last[lane + left];
  }
  return last[0];
}

}  // namespace

/// Returns E in the units of the chain's fields, times the gains where there are any: parts of a
/// problem that share no coupling may have gains and units of their own. Needs the coupling fields
/// of the hidden layer.
double chain_energy(const Chain& chain) {
  BlockSums sums;
  add_signed(chain.hidden, chain.hidden.own_fields, sums);
  add_signed(chain.hidden, chain.hidden.coupling_fields, sums);
  add_signed(chain.output, chain.output.own_fields, sums);
  return sum_of(sums);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

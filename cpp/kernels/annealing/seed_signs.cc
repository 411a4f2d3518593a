/// Random start states.
#include "kernels/annealing/chain.h"
#include "kernels/metropolis/xoshiro.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

void seed_layer(const Layer& layer, std::uint32_t* generator) {
  for (int lane = 0; lane < kBlock; lane += kWidth) {
    Generator random = Generator::read(generator + lane);
    for (std::int64_t at = lane; at < padded(layer.num_spins); at += kBlock) {
      store(layer.signs + at, random.next() & kSignBit);
    }
    Generator::write(random, generator + lane);
  }

  for (std::int64_t spin = layer.num_spins; spin < padded(layer.num_spins); ++spin) {
    layer.signs[spin] = 0;
  }
}

}  // namespace

/// Sets every spin to +1 or -1 with equal probability: the top bit of its first random number.
///
///     r = 0x9e..., 0x3c..., 0x81...   ->   spins -1, +1, -1
void seed_signs(const Chain& chain) {
  seed_layer(chain.hidden, chain.generator);
  seed_layer(chain.output, chain.generator);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

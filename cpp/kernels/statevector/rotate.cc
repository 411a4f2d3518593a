/// Rotation of qubits: a' = a - tangent b, b' = b + tangent a for the pairs of each qubit; see
/// amplitudes.h for the layout of the pairs.
///
/// The pairs of the lowest qubits lie within one vector, and those of the others in two vectors.
/// With a register of four doubles, which are two amplitudes:
///
///     qubit 0     v = [re0 im0 re1 im1]       v + [-t -t t t] * [re1 im1 re0 im0]
///     qubit 1     v0 = amplitudes 0 and 1,    v0' = v0 - t v1,   v1' = v1 + t v0
///                 v1 = amplitudes 2 and 3
///
/// Rotations of different qubits commute, but rounding does not: qubits are rotated in ascending
/// order on every target. Up to kBitsAtOnce of them are rotated while their amplitudes are in
/// registers.
#include "kernels/statevector/amplitudes.h"
#include "kernels/statevector/angles.h"
#include "kernels/statevector/permute.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Qubits rotated at once need 2^kBitsAtOnce vectors that lie a power of two apart. More than eight
/// of these would compete for the same few places in the cache.
inline constexpr int kBitsAtOnce = 3;

/// Rotates the qubit whose pairs are `Distance` lanes apart within a vector.
template <class Real, int Distance>
ISINGPROP_INLINE Vec<Real> rotate_lanes(Vec<Real> v, Vec<Real> tangent) {
  for (int l = 0; l < kLanes<Real>; ++l) {
    if ((l & Distance) == 0) tangent[l] = -tangent[l];
  }
  return v + tangent * permuted<Real, Partner<Distance>>(v);
}

/// Rotates the first Bits qubits, whose pairs lie within a vector.
template <class Real, int Bits>
ISINGPROP_INLINE Vec<Real> rotate_within(Vec<Real> v, Vec<Real> tangent) {
  if constexpr (Bits > 0) {
    v = rotate_lanes<Real, 1 << Bits>(rotate_within<Real, Bits - 1>(v, tangent), tangent);
  }
  return v;
}

/// Rotates the qubits among 2^Bits vectors in registers, lowest first.
template <class Real, int NumVectors>
ISINGPROP_INLINE void rotate_across(Vec<Real> (&v)[NumVectors], Vec<Real> tangent) {
  for (int bit = 1; bit < NumVectors; bit *= 2) {
    for (int k = 0; k < NumVectors; ++k) {
      if (k & bit) continue;
      const Vec<Real> a = v[k], b = v[k | bit];
      v[k] = a - tangent * b;
      v[k | bit] = b + tangent * a;
    }
  }
}

/// Rotates Bits qubits, the pairs of the lowest of which are `stride` numbers apart, and before
/// them the first Within qubits.
template <class Real, int Bits, int Within>
ISINGPROP_INLINE void rotate_bits(const RotationJob<Real>& job, std::int64_t stride) {
  constexpr int kVectors = 1 << Bits;
  const Vec<Real> tangent = splat(static_cast<Real>(job.tangent));

  for (std::int64_t outer = 0; outer < 2 * job.count; outer += stride * kVectors) {
    for (std::int64_t inner = 0; inner < stride; inner += kLanes<Real>) {
      Real* at = job.amplitudes + outer + inner;
      Vec<Real> v[kVectors];
      for (int k = 0; k < kVectors; ++k) {
        v[k] = rotate_within<Real, Within>(load<Vec<Real>>(at + k * stride), tangent);
      }
      rotate_across<Real>(v, tangent);
      for (int k = 0; k < kVectors; ++k) store(at + k * stride, v[k]);
    }
  }
}

/// Calls rotate_bits<Real, bits, Within> for 0 <= bits <= Bits, where `bits` is known at run time.
template <class Real, int Bits, int Within>
ISINGPROP_INLINE void rotate_up_to(const RotationJob<Real>& job, int bits, std::int64_t stride) {
  if (bits == Bits) {
    rotate_bits<Real, Bits, Within>(job, stride);
  } else if constexpr (Bits > 0) {
    rotate_up_to<Real, Bits - 1, Within>(job, bits, stride);
  }
}

/// Rotates the first job.last_bit <= Bits qubits, fewer than lie within a vector.
template <class Real, int Bits>
ISINGPROP_INLINE void rotate_few(const RotationJob<Real>& job) {
  if (job.last_bit == Bits) {
    rotate_bits<Real, 0, Bits>(job, kLanes<Real>);
  } else if constexpr (Bits > 0) {
    rotate_few<Real, Bits - 1>(job);
  }
}

template <class Real>
ISINGPROP_INLINE void rotate_range(const RotationJob<Real>& job) {
  constexpr int kInside = __builtin_ctz(kLanes<Real>) - 1;  // qubits within a vector
  int bit = job.first_bit;
  if (bit == 0) {
    if (job.last_bit < kInside) return rotate_few<Real, kInside - 1>(job);
    const int left = job.last_bit - kInside;
    const int bits = left < kBitsAtOnce ? left : kBitsAtOnce;
    rotate_up_to<Real, kBitsAtOnce, kInside>(job, bits, kLanes<Real>);
    bit = kInside + bits;
  }

  while (bit < job.last_bit) {
    const int left = job.last_bit - bit;
    const int bits = left < kBitsAtOnce ? left : kBitsAtOnce;
    rotate_up_to<Real, kBitsAtOnce, 0>(job, bits, std::int64_t{2} << bit);
    bit += bits;
  }
}

}  // namespace

void rotate(const RotationJob<float>& job) { rotate_range(job); }
void rotate(const RotationJob<double>& job) { rotate_range(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

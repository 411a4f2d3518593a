/// A state vector of qubits under exp(-i angle H) with H diagonal, and under exp(i angle X) on every qubit.
///
/// Amplitudes are kept times (-i)^(number of ones of their index). So the second one is a real rotation of each pair of
/// amplitudes that differ in one bit,
///
///     a' = cos(angle) a - sin(angle) b,   b' = sin(angle) a + cos(angle) b,
///
/// and real and imaginary parts do not meet. Every amplitude goes through the same operations on every target.
#include <utility>

#include "kernels/table.h"
#include "kernels/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

template <class Real>
struct VecOf;
template <>
struct VecOf<float> {
  using type = VecF;
  static constexpr int kLanes = kWidth;
};
template <>
struct VecOf<double> {
  using type = VecD;
  static constexpr int kLanes = kDoubles;
};
template <class Real>
using Vec = typename VecOf<Real>::type;
template <class Real>
inline constexpr int kLanes = VecOf<Real>::kLanes;

/// Lane l of the outcome is lane At::lane(l) of v.
template <class At, class V, int... Lane>
ISINGPROP_INLINE V permuted(V v, std::integer_sequence<int, Lane...>) {
#if defined(__clang__)
  return __builtin_shufflevector(v, v, At::lane(Lane)...);
#else
  if constexpr (sizeof(V) / sizeof(v[0]) * 8 == sizeof(V)) {
    return __builtin_shuffle(v, VecL{At::lane(Lane)...});
  } else {
    return __builtin_shuffle(v, VecI{At::lane(Lane)...});
  }
#endif
}
template <class Real, class At>
ISINGPROP_INLINE Vec<Real> permuted(Vec<Real> v) {
  return permuted<At>(v, std::make_integer_sequence<int, kLanes<Real>>());
}
template <int Bits>
struct Partner {
  static constexpr int lane(int l) { return l ^ Bits; }
};
/// Each lane twice, from lane `First` on.
template <int First>
struct Doubled {
  static constexpr int lane(int l) { return First + l / 2; }
};

/// cos and sin of quarters * pi / 2, right to 2e-16 for sizes below 2^50.
ISINGPROP_INLINE void cos_sin(VecD quarters, VecD* cosine, VecD* sine) {
  constexpr double kToWhole = 0x1.8p52;  // added and taken away, it leaves the nearest whole number
  const VecD shifted = quarters + kToWhole;
  const VecD r = quarters - (shifted - kToWhole);
  const VecD square = r * r;
  // Taylor's series of sin(pi r / 2) and cos(pi r / 2), |r| <= 1/2.
  VecD s = splat(-6.688035109811468e-10);
  s = s * square + 5.692172921967927e-08;
  s = s * square - 3.598843235212085e-06;
  s = s * square + 0.00016044118478735983;
  s = s * square - 0.004681754135318688;
  s = s * square + 0.07969262624616705;
  s = s * square - 0.6459640975062463;
  s = s * square + 1.5707963267948966;
  s = s * r;
  VecD c = splat(6.565963114979473e-11);
  c = c * square - 6.386603083791852e-09;
  c = c * square + 4.710874778818172e-07;
  c = c * square - 2.5202042373060607e-05;
  c = c * square + 0.0009192602748394266;
  c = c * square - 0.02086348076335296;
  c = c * square + 0.25366950790104803;
  c = c * square - 1.2337005501361697;
  c = c * square + 1.0;
  const VecL quadrant = reinterpret_cast<VecL>(shifted);
  const VecL odd = -(quadrant & 1);
  const VecL cosine_bits = reinterpret_cast<VecL>(c), sine_bits = reinterpret_cast<VecL>(s);
  const VecL exchanged = (cosine_bits ^ sine_bits) & odd;
  *cosine = reinterpret_cast<VecD>((cosine_bits ^ exchanged) ^ (((quadrant + 1) & 2) << 62));
  *sine = reinterpret_cast<VecD>((sine_bits ^ exchanged) ^ ((quadrant & 2) << 62));
}

/// Lanes as reals, from `first` of two vectors of doubles on.
ISINGPROP_INLINE VecD reals_of(const VecD* parts, double) { return parts[0]; }
ISINGPROP_INLINE VecF reals_of(const VecD* parts, float) {
  float lanes[kWidth];
  store_floats(lanes, parts[0]);
  store_floats(lanes + kDoubles, parts[1]);
  return load<VecF>(lanes);
}

/// (re, im) * (cosine - i sine), for lanes (re, im, re, im ...).
template <class Real, int Half>
ISINGPROP_INLINE void turn_lanes(Real* at, Vec<Real> cosine, Vec<Real> sine, Vec<Real> signs) {
  constexpr int kFirst = Half * kLanes<Real> / 2;
  const Vec<Real> v = load<Vec<Real>>(at);
  const Vec<Real> c = permuted<Real, Doubled<kFirst>>(cosine), s = permuted<Real, Doubled<kFirst>>(sine);
  store(at, v * c + permuted<Real, Partner<1>>(v) * (s * signs));
}

template <class Real>
ISINGPROP_INLINE void turn_row(Real* amplitudes, const double* energies, std::int64_t length, double quarters) {
  constexpr int kParts = kLanes<Real> / kDoubles;
  Vec<Real> signs;
  for (int l = 0; l < kLanes<Real>; ++l) signs[l] = l % 2 == 0 ? Real{1} : Real{-1};
  for (std::int64_t k = 0; k < length; k += kLanes<Real>) {
    VecD c[kParts], s[kParts];
    for (int part = 0; part < kParts; ++part) {
      cos_sin(load<VecD>(energies + k + part * kDoubles) * quarters, &c[part], &s[part]);
    }
    const Vec<Real> cosine = reals_of(c, Real{}), sine = reals_of(s, Real{});
    turn_lanes<Real, 0>(amplitudes + 2 * k, cosine, sine, signs);
    turn_lanes<Real, 1>(amplitudes + 2 * k + kLanes<Real>, cosine, sine, signs);
  }
}

template <class Real>
ISINGPROP_INLINE void turn(const AmplitudeJob<Real>& job, double quarters) {
  for (std::int64_t row = 0; row < job.num_rows; ++row) {
    turn_row(job.amplitudes + 2 * row * job.row_length, job.energies + row * job.energy_stride, job.row_length,
             quarters);
  }
}

template <class Real>
struct Rotor {
  Vec<Real> cosine, sine;
};

/// Rotates a bit within vectors: lanes whose index has it, and their partners without it.
template <class Real, int Distance>
ISINGPROP_INLINE Vec<Real> rotate_lanes(Vec<Real> v, const Rotor<Real>& rotor) {
  Vec<Real> signed_sine = rotor.sine;
  for (int l = 0; l < kLanes<Real>; ++l) {
    if ((l & Distance) == 0) signed_sine[l] = -signed_sine[l];
  }
  return rotor.cosine * v + signed_sine * permuted<Real, Partner<Distance>>(v);
}

/// The bits [first_bit, ...) that are inside vectors.
template <class Real, int Distance = 2>
ISINGPROP_INLINE Vec<Real> rotate_within(Vec<Real> v, int first_bit, int last_bit, const Rotor<Real>& rotor) {
  if constexpr (Distance < kLanes<Real>) {
    constexpr int kBit = __builtin_ctz(Distance) - 1;
    if (first_bit <= kBit && kBit < last_bit) v = rotate_lanes<Real, Distance>(v, rotor);
    v = rotate_within<Real, 2 * Distance>(v, first_bit, last_bit, rotor);
  }
  return v;
}

/// Rotates Bits bits, of which the lowest is `stride` reals away, and where Within bits inside vectors before.
template <class Real, int Bits, bool Within>
ISINGPROP_INLINE void rotate_bits(const RotationJob<Real>& job, std::int64_t stride, const Rotor<Real>& rotor) {
  constexpr int kVectors = 1 << Bits;
  for (std::int64_t outer = 0; outer < 2 * job.count; outer += stride * kVectors) {
    for (std::int64_t inner = 0; inner < stride; inner += kLanes<Real>) {
      Real* at = job.amplitudes + outer + inner;
      Vec<Real> v[kVectors];
      for (int k = 0; k < kVectors; ++k) {
        v[k] = load<Vec<Real>>(at + k * stride);
        if constexpr (Within) v[k] = rotate_within<Real>(v[k], job.first_bit, job.last_bit, rotor);
      }
      for (int bit = 1; bit < kVectors; bit *= 2) {
        for (int k = 0; k < kVectors; ++k) {
          if (k & bit) continue;
          const Vec<Real> a = v[k], b = v[k | bit];
          v[k] = rotor.cosine * a - rotor.sine * b;
          v[k | bit] = rotor.sine * a + rotor.cosine * b;
        }
      }
      for (int k = 0; k < kVectors; ++k) store(at + k * stride, v[k]);
    }
  }
}

#if defined(__AVX512F__)
inline constexpr int kBitsAtOnce = 3;  // 16 vectors of 32 registers
#else
inline constexpr int kBitsAtOnce = 3;  // 8 of 16
#endif

template <class Real, int Bits, bool Within>
ISINGPROP_INLINE void rotate_up_to(const RotationJob<Real>& job, int bits, std::int64_t stride,
                                   const Rotor<Real>& rotor) {
  if (bits == Bits) {
    rotate_bits<Real, Bits, Within>(job, stride, rotor);
  } else if constexpr (Bits > 0) {
    rotate_up_to<Real, Bits - 1, Within>(job, bits, stride, rotor);
  }
}

template <class Real>
ISINGPROP_INLINE void rotate(const RotationJob<Real>& job) {
  constexpr int kInside = __builtin_ctz(kLanes<Real>) - 1;  // bits within a vector
  VecD cosine, sine;
  cos_sin(splat(job.quarters), &cosine, &sine);
  const Rotor<Real> rotor{splat(static_cast<Real>(cosine[0])), splat(static_cast<Real>(sine[0]))};
  int bit = job.first_bit;
  if (bit < kInside) {
    const int left = job.last_bit - kInside;
    const int bits = left < 0 ? 0 : left < kBitsAtOnce ? left : kBitsAtOnce;
    rotate_up_to<Real, kBitsAtOnce, true>(job, bits, kLanes<Real>, rotor);
    bit = kInside + bits;
  }
  while (bit < job.last_bit) {
    const int bits = job.last_bit - bit < kBitsAtOnce ? job.last_bit - bit : kBitsAtOnce;
    rotate_up_to<Real, kBitsAtOnce, false>(job, bits, std::int64_t{2} << bit, rotor);
    bit += bits;
  }
}

}  // namespace

void energy_row(const EnergyRowJob& job) {
  double lowest = 0.0;
  for (std::int64_t a = 0; a < job.num_output; ++a) {
    lowest += (job.outputs >> a & 1) != 0 ? job.output_fields[a] : -job.output_fields[a];
  }
  job.energies[0] = lowest;
  for (std::int64_t i = 0; i < job.num_hidden; ++i) {
    const double* couplings = job.couplings + i * job.num_output;
    double field = job.hidden_fields[i];
    for (std::int64_t a = 0; a < job.num_output; ++a) {
      field += (job.outputs >> a & 1) != 0 ? couplings[a] : -couplings[a];
    }
    const std::int64_t count = std::int64_t{1} << i;
    for (std::int64_t k = 0; k < count; ++k) {
      const double without = job.energies[k];
      job.energies[k + count] = without + field;
      job.energies[k] = without - field;
    }
  }
}

void turn_f32(const AmplitudeJob<float>& job, double quarters) { turn(job, quarters); }
void turn_f64(const AmplitudeJob<double>& job, double quarters) { turn(job, quarters); }
void rotate_f32(const RotationJob<float>& job) { rotate(job); }
void rotate_f64(const RotationJob<double>& job) { rotate(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

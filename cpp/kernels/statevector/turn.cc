/// A state vector of qubits under exp(-i angle H) with H diagonal, and under exp(i angle X) on
/// every qubit.
///
/// Amplitudes are kept times (-i)^(number of ones of their index). So the second one is a real
/// rotation of each pair of amplitudes that differ in one bit,
///
///     a' = cos(angle) (a - tan(angle) b),   b' = cos(angle) (b + tan(angle) a),
///
/// and real and imaginary parts do not meet. The factors of all bits are left to the phases, which
/// are products anyway. Every amplitude goes through the same operations on every target.
#include <cstdint>
#include <type_traits>
#include <utility>

#include "simd/vec.h"
#include "targets/kernel_table.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

template <class Real>
using Vec = typename Wide<Real>::Vec;
template <class Real>
inline constexpr int kLanes = Wide<Real>::kLanes;
/// Vectors of angles worked on at a time: rows are whole blocks.
template <class Real>
inline constexpr int kTurned = kBlock / kLanes<Real> < 2 ? 1 : 2;

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

/// Two vectors of doubles as floats, one after the other.
ISINGPROP_INLINE VecF floats_of(VecD first, VecD second) {
#if defined(__AVX512F__)
  const __m512 low = _mm512_castps256_ps512(_mm512_maskz_cvtpd_ps(0xff, first));
  return _mm512_maskz_insertf32x8(0xffff, low, _mm512_maskz_cvtpd_ps(0xff, second), 1);
#elif defined(__AVX2__)
  return _mm256_set_m128(_mm256_cvtpd_ps(second), _mm256_cvtpd_ps(first));
#elif defined(__SSE2__)
  return _mm_movelh_ps(_mm_cvtpd_ps(first), _mm_cvtpd_ps(second));
#else
  return VecF{static_cast<float>(first[0]), static_cast<float>(first[1]),
              static_cast<float>(second[0]), static_cast<float>(second[1])};
#endif
}
/// The low halves of 64-bit numbers.
ISINGPROP_INLINE VecI low_halves(VecL first, VecL second) {
#if defined(__AVX512F__)
  const __m512i low =
      _mm512_castsi256_si512(_mm512_maskz_cvtepi64_epi32(0xff, reinterpret_cast<__m512i>(first)));
  const __m256i high = _mm512_maskz_cvtepi64_epi32(0xff, reinterpret_cast<__m512i>(second));
  return reinterpret_cast<VecI>(_mm512_maskz_inserti32x8(0xffff, low, high, 1));
#else
  VecI v;
  for (int l = 0; l < kWidth; ++l)
    v[l] = static_cast<std::int32_t>(l < kDoubles ? first[l] : second[l - kDoubles]);
  return v;
#endif
}

/// A vector of angles, taken apart in double precision: the nearest whole number of pi / 2, in the
/// low bits, and the rest, in units of pi / 2 and for float in radians.
template <class Real>
struct Angles;
template <>
struct Angles<double> {
  VecL whole;
  VecD rest;
};
template <>
struct Angles<float> {
  VecI whole;
  VecF rest;
};

inline constexpr double kQuarter = 1.57079632679489661923;  // pi / 2

ISINGPROP_INLINE Angles<double> reduced(VecD quarters) {
  constexpr double kToWhole = 0x1.8p52;  // added and taken away, it leaves the nearest whole number
  const VecD shifted = quarters + kToWhole;
  return {reinterpret_cast<VecL>(shifted), quarters - (shifted - kToWhole)};
}

ISINGPROP_INLINE Angles<double> angles_at(const double* energies, double quarters, double) {
  return reduced(load<VecD>(energies) * quarters);
}
ISINGPROP_INLINE Angles<float> angles_at(const double* energies, double quarters, float) {
  const Angles<double> first = angles_at(energies, quarters, double{});
  const Angles<double> second = angles_at(energies + kDoubles, quarters, double{});
  return {low_halves(first.whole, second.whole),
          floats_of(first.rest * kQuarter, second.rest * kQuarter)};
}

/// Polynomials in r^2 of sine / r and cosine of the rest r of an angle, highest power first;
/// minimax on |angle| <= pi / 4, right to 5e-17 of the value for double and 3e-9 for float (those
/// of the Cephes library, whose 1 is exact: a rounded pi / 2 in its place would stretch all
/// amplitudes by 1e-8 a step).
template <class Real>
struct Series;
template <>
struct Series<double> {
  static constexpr double kSine[] = {5.6337208451419695e-08, -3.598641753250396e-06,
                                     0.00016044115029130435, -0.0046817541322823645,
                                     0.07969262624603955,    -0.6459640975062443,
                                     1.5707963267948966};
  static constexpr double kCosine[] = {
      -6.284340408314026e-09, 4.710296898919859e-07, -2.5202026416130754e-05, 0.0009192602724988539,
      -0.020863480763173,     0.25366950790104154,   -1.2337005501361697,     1.0};
};
template <>
struct Series<float> {
  static constexpr float kSine[] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f, 1.0f};
  static constexpr float kCosine[] = {2.443315711809948e-5f, -1.388731625493765e-3f,
                                      4.166664568298827e-2f, -0.5f, 1.0f};
};

/// Of N vectors at a time, so that none has to wait for its last step.
template <class Real, int N, int Terms>
ISINGPROP_INLINE void polynomial(const Real (&series)[Terms], const Vec<Real> (&x)[N],
                                 Vec<Real> (&sums)[N]) {
  for (int n = 0; n < N; ++n) sums[n] = splat(series[0]);
  for (int term = 1; term < Terms; ++term) {
    for (int n = 0; n < N; ++n) sums[n] = sums[n] * x[n] + series[term];
  }
}

template <class Real>
using Bits = decltype(Angles<Real>::whole);
template <class Real>
using Integer = std::conditional_t<sizeof(Real) == sizeof(double), std::int64_t, std::int32_t>;

template <class Real>
inline constexpr int kSignShift = 8 * sizeof(Real) - 1;

/// v, or -v where the sign bit of `signs` is set.
template <class Real>
ISINGPROP_INLINE Vec<Real> with_sign_of(Vec<Real> v, Bits<Real> signs) {
  return reinterpret_cast<Vec<Real>>(reinterpret_cast<Bits<Real>>(v) ^
                                     (signs & (Integer<Real>{-1} << kSignShift<Real>)));
}
/// -v in the odd lanes.
template <class Real>
ISINGPROP_INLINE Vec<Real> odd_negated(Vec<Real> v) {
  Bits<Real> signs;
  for (int l = 0; l < kLanes<Real>; ++l) signs[l] = l % 2 == 0 ? 0 : -1;
  return with_sign_of<Real>(v, signs);
}

template <class Real, int N>
ISINGPROP_INLINE void cos_sin(const Angles<Real> (&angles)[N], Vec<Real> (&cosine)[N],
                              Vec<Real> (&sine)[N]) {
  constexpr int kToSign = kSignShift<Real> - 1;  // of what is 2 or 3 times pi / 2
  Vec<Real> square[N];
  for (int n = 0; n < N; ++n) square[n] = angles[n].rest * angles[n].rest;
  polynomial<Real>(Series<Real>::kSine, square, sine);
  polynomial<Real>(Series<Real>::kCosine, square, cosine);
  for (int n = 0; n < N; ++n) {
    const Bits<Real> odd = angles[n].whole & 1, quadrant = angles[n].whole << kToSign;
    const Vec<Real> c = cosine[n], s = sine[n] * angles[n].rest;
    cosine[n] = with_sign_of<Real>(odd != 0 ? s : c, quadrant ^ (quadrant << 1));
    sine[n] = with_sign_of<Real>(odd != 0 ? c : s, quadrant);
  }
}

/// (re, im) * (cosine - i sine), for lanes (re, im, re, im ...).
template <class Real, int Half>
ISINGPROP_INLINE void turn_lanes(Real* at, Vec<Real> cosine, Vec<Real> sine) {
  constexpr int kFirst = Half * kLanes<Real> / 2;
  const Vec<Real> v = load<Vec<Real>>(at);
  const Vec<Real> c = permuted<Real, Doubled<kFirst>>(cosine),
                  s = permuted<Real, Doubled<kFirst>>(sine);
  store(at, v * c + odd_negated<Real>(permuted<Real, Partner<1>>(v)) * s);
}

template <class Real>
ISINGPROP_INLINE void turn_row(Real* amplitudes, const double* energies, std::int64_t length,
                               double quarters, Real scale) {
  constexpr int kAtOnce = kTurned<Real>;
  for (std::int64_t k = 0; k < length; k += kAtOnce * kLanes<Real>) {
    Angles<Real> angles[kAtOnce];
    for (int n = 0; n < kAtOnce; ++n)
      angles[n] = angles_at(energies + k + n * kLanes<Real>, quarters, Real{});
    Vec<Real> cosine[kAtOnce], sine[kAtOnce];
    cos_sin<Real>(angles, cosine, sine);
    for (int n = 0; n < kAtOnce; ++n) {
      Real* at = amplitudes + 2 * (k + n * kLanes<Real>);
      turn_lanes<Real, 0>(at, cosine[n] * scale, sine[n] * scale);
      turn_lanes<Real, 1>(at + kLanes<Real>, cosine[n] * scale, sine[n] * scale);
    }
  }
}

template <class Real>
ISINGPROP_INLINE void turn(const AmplitudeJob<Real>& job, double quarters, double scale) {
  for (std::int64_t row = 0; row < job.num_rows; ++row) {
    turn_row(job.amplitudes + 2 * row * job.row_length, job.energies + row * job.energy_stride,
             job.row_length, quarters, static_cast<Real>(scale));
  }
}

/// Rotates a bit within vectors: lanes whose index has it, and their partners without it.
template <class Real, int Distance>
ISINGPROP_INLINE Vec<Real> rotate_lanes(Vec<Real> v, Vec<Real> tangent) {
  for (int l = 0; l < kLanes<Real>; ++l) {
    if ((l & Distance) == 0) tangent[l] = -tangent[l];
  }
  return v + tangent * permuted<Real, Partner<Distance>>(v);
}

/// The first Bits bits, inside vectors.
template <class Real, int Bits>
ISINGPROP_INLINE Vec<Real> rotate_within(Vec<Real> v, Vec<Real> tangent) {
  if constexpr (Bits > 0)
    v = rotate_lanes<Real, 1 << Bits>(rotate_within<Real, Bits - 1>(v, tangent), tangent);
  return v;
}

/// Rotates Bits bits, of which the lowest is `stride` reals away, and before these the first Within
/// ones.
template <class Real, int Bits, int Within>
ISINGPROP_INLINE void rotate_bits(const RotationJob<Real>& job, std::int64_t stride) {
  constexpr int kVectors = 1 << Bits;
  const Vec<Real> tangent = splat(static_cast<Real>(job.tangent));
  for (std::int64_t outer = 0; outer < 2 * job.count; outer += stride * kVectors) {
    for (std::int64_t inner = 0; inner < stride; inner += kLanes<Real>) {
      Real* at = job.amplitudes + outer + inner;
      Vec<Real> v[kVectors];
      for (int k = 0; k < kVectors; ++k)
        v[k] = rotate_within<Real, Within>(load<Vec<Real>>(at + k * stride), tangent);
      for (int bit = 1; bit < kVectors; bit *= 2) {
        for (int k = 0; k < kVectors; ++k) {
          if (k & bit) continue;
          const Vec<Real> a = v[k], b = v[k | bit];
          v[k] = a - tangent * b;
          v[k | bit] = b + tangent * a;
        }
      }
      for (int k = 0; k < kVectors; ++k) store(at + k * stride, v[k]);
    }
  }
}

inline constexpr int kBitsAtOnce =
    3;  // 16 vectors a power of two apart share too few places in a cache

template <class Real, int Bits, int Within>
ISINGPROP_INLINE void rotate_up_to(const RotationJob<Real>& job, int bits, std::int64_t stride) {
  if (bits == Bits) {
    rotate_bits<Real, Bits, Within>(job, stride);
  } else if constexpr (Bits > 0) {
    rotate_up_to<Real, Bits - 1, Within>(job, bits, stride);
  }
}

/// Fewer bits than there are inside a vector.
template <class Real, int Bits>
ISINGPROP_INLINE void rotate_few(const RotationJob<Real>& job) {
  if (job.last_bit == Bits) {
    rotate_bits<Real, 0, Bits>(job, kLanes<Real>);
  } else if constexpr (Bits > 0) {
    rotate_few<Real, Bits - 1>(job);
  }
}

template <class Real>
ISINGPROP_INLINE void rotate(const RotationJob<Real>& job) {
  constexpr int kInside = __builtin_ctz(kLanes<Real>) - 1;
  int bit = job.first_bit;
  if (bit == 0) {
    if (job.last_bit < kInside) return rotate_few<Real, kInside - 1>(job);
    const int left = job.last_bit - kInside;
    const int bits = left < kBitsAtOnce ? left : kBitsAtOnce;
    rotate_up_to<Real, kBitsAtOnce, kInside>(job, bits, kLanes<Real>);
    bit = kInside + bits;
  }
  while (bit < job.last_bit) {
    const int bits = job.last_bit - bit < kBitsAtOnce ? job.last_bit - bit : kBitsAtOnce;
    rotate_up_to<Real, kBitsAtOnce, 0>(job, bits, std::int64_t{2} << bit);
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

double tangent(double quarters) {
  const Angles<double> angles[] = {reduced(splat(quarters))};
  VecD cosine[1], sine[1];
  cos_sin<double>(angles, cosine, sine);
  return sine[0][0] / cosine[0][0];
}
void turn_f32(const AmplitudeJob<float>& job, double quarters, double scale) {
  turn(job, quarters, scale);
}
void turn_f64(const AmplitudeJob<double>& job, double quarters, double scale) {
  turn(job, quarters, scale);
}
void rotate_f32(const RotationJob<float>& job) { rotate(job); }
void rotate_f64(const RotationJob<double>& job) { rotate(job); }

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

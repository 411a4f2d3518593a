/// Multiplication of amplitudes by scale * exp(-i energy phase): evolution under a diagonal energy.
///
/// Every amplitude has an angle of its own, energy * quarters in units of pi / 2. With c and s its
/// cosine and sine times the scale, (re + i im) (c - i s) is, in lanes,
///
///     v         [ re0       im0       re1       im1     ]
///     partner   [ im0       re0       im1       re1     ]
///     result    [ re0 c0    im0 c0    re1 c1    im1 c1  ]
///             + [ im0 s0   -re0 s0    im1 s1   -re1 s1  ]
///
/// so that one vector of cosines serves two vectors of amplitudes, each cosine doubled. Every
/// amplitude goes through the same operations on every target.
#include "kernels/statevector/amplitudes.h"
#include "kernels/statevector/angles.h"
#include "kernels/statevector/permute.h"
#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {
namespace {

/// Vectors of angles worked on at a time. A row is whole blocks, which may be a single vector.
template <class Real>
inline constexpr int kAtOnce = kBlock / kLanes<Real> < 2 ? 1 : 2;

/// Returns -v in the odd lanes, and v in the even ones.
template <class Real>
ISINGPROP_INLINE Vec<Real> odd_negated(Vec<Real> v) {
  Bits<Real> signs;
  for (int l = 0; l < kLanes<Real>; ++l) signs[l] = l % 2 == 0 ? 0 : -1;
  return with_sign_of<Real>(v, signs);
}

/// Multiplies one vector of amplitudes by the first or the second half of the cosines and sines.
template <class Real, int Half>
ISINGPROP_INLINE void turn_lanes(Real* at, Vec<Real> cosine, Vec<Real> sine) {
  constexpr int kFirst = Half * kLanes<Real> / 2;
  const Vec<Real> v = load<Vec<Real>>(at);
  const Vec<Real> c = permuted<Real, Doubled<kFirst>>(cosine);
  const Vec<Real> s = permuted<Real, Doubled<kFirst>>(sine);
  store(at, v * c + odd_negated<Real>(permuted<Real, Partner<1>>(v)) * s);
}

template <class Real>
ISINGPROP_INLINE void turn_row(Real* amplitudes, const double* energies, std::int64_t length,
                               double quarters, Real scale) {
  constexpr int kVectors = kAtOnce<Real>;
  for (std::int64_t k = 0; k < length; k += kVectors * kLanes<Real>) {
    Angles<Real> angles[kVectors];
    for (int n = 0; n < kVectors; ++n) {
      angles[n] = angles_at(energies + k + n * kLanes<Real>, quarters, Real{});
    }
    Vec<Real> cosine[kVectors], sine[kVectors];
    cos_sin<Real>(angles, cosine, sine);

    for (int n = 0; n < kVectors; ++n) {
      Real* at = amplitudes + 2 * (k + n * kLanes<Real>);
      turn_lanes<Real, 0>(at, cosine[n] * scale, sine[n] * scale);
      turn_lanes<Real, 1>(at + kLanes<Real>, cosine[n] * scale, sine[n] * scale);
    }
  }
}

template <class Real>
ISINGPROP_INLINE void turn_rows(const AmplitudeJob<Real>& job, double quarters, double scale) {
  for (std::int64_t row = 0; row < job.num_rows; ++row) {
    turn_row(job.amplitudes + 2 * row * job.row_length, job.energies + row * job.energy_stride,
             job.row_length, quarters, static_cast<Real>(scale));
  }
}

}  // namespace

void turn(const AmplitudeJob<float>& job, double quarters, double scale) {
  turn_rows(job, quarters, scale);
}
void turn(const AmplitudeJob<double>& job, double quarters, double scale) {
  turn_rows(job, quarters, scale);
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

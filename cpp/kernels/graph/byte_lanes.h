/// Vectors of bytes, one for each read.
///
/// Bytes are unpacked to numbers of four bytes within groups of 16 bytes, so that the numbers are
/// in the order of reads if dword 4 j + q of a vector of n dwords holds reads 4 (n / 4 q + j) ... +
/// 3:
///
///     dword   0    1     2      3      4    5      6      7
///     reads  0-3  8-11  16-19  24-27  4-7  12-15  20-23  28-31
///
/// This is called the order of unpacking.
#pragma once

#include "simd/vec.h"

namespace isingprop {
namespace ISINGPROP_TARGET {

/// Bytes in a vector register: reads that are updated at once.
inline constexpr int kBytes = 4 * kWidth;
/// Groups of 16 bytes, within which bytes are shuffled and unpacked.
inline constexpr int kHalves = kBytes / 16;

using VecB = std::int8_t __attribute__((vector_size(kBytes)));

ISINGPROP_INLINE VecB splat_byte(int x) { return static_cast<std::int8_t>(x) - VecB{}; }

/// Returns the read of a byte in the order of unpacking.
constexpr int read_of(int byte) { return 4 * (kHalves * (byte / 4 % 4) + byte / 16) + byte % 4; }

/// The byte and the bit in it that belong to each read in a word, in the order of unpacking.
struct BytePlaces {
  std::int8_t bytes[kBytes], bits[kBytes];
};
constexpr BytePlaces byte_places() {
  BytePlaces places{};
  for (int k = 0; k < kBytes; ++k) {
    places.bytes[k] = static_cast<std::int8_t>(read_of(k) / 8);
    places.bits[k] = static_cast<std::int8_t>(1 << read_of(k) % 8);
  }
  return places;
}
inline constexpr BytePlaces kBytePlaces = byte_places();

#if defined(__AVX512F__)

/// Returns all ones in the bytes of the reads whose bits are set, in natural order.
ISINGPROP_INLINE VecB bytes_of(const std::uint32_t* words, int) {
  std::uint64_t word;
  __builtin_memcpy(&word, words, sizeof word);
  return reinterpret_cast<VecB>(_mm512_movm_epi8(word));
}
/// Adds x in the bytes of the reads whose bits are set, in the order of bytes_of().
ISINGPROP_INLINE VecB add_where(VecB sum, const std::uint32_t* words, int, VecB x) {
  std::uint64_t word;
  __builtin_memcpy(&word, words, sizeof word);
  const __m512i old = reinterpret_cast<__m512i>(sum);
  return reinterpret_cast<VecB>(_mm512_mask_add_epi8(old, word, old, reinterpret_cast<__m512i>(x)));
}
/// Takes bytes from the order of bytes_of() to that of unpacking.
ISINGPROP_INLINE VecB to_unpack(VecB bytes) {
  const VecU dwords = reinterpret_cast<VecU>(bytes);
  return reinterpret_cast<VecB>(__builtin_shufflevector(dwords, dwords, 0, 4, 8, 12, 1, 5, 9, 13, 2,
                                                        6, 10, 14, 3, 7, 11, 15));
}

#else

ISINGPROP_INLINE VecB bytes_of(const std::uint32_t* words, int first) {
#if defined(__AVX2__)
  const std::uint32_t word = words[first / kBytes];
  const VecB control = load<VecB>(kBytePlaces.bytes), bits = load<VecB>(kBytePlaces.bits);
  const VecB bytes = reinterpret_cast<VecB>(_mm256_shuffle_epi8(
      _mm256_set1_epi32(static_cast<int>(word)), reinterpret_cast<__m256i>(control)));
  return (bytes & bits) == bits;
#else
  const std::uint32_t word = words[first / 32] >> (first % 32);
  VecB result;
  for (int k = 0; k < kBytes; ++k) result[k] = word >> read_of(k) & 1u ? -1 : 0;
  return result;
#endif
}
ISINGPROP_INLINE VecB add_where(VecB sum, const std::uint32_t* words, int first, VecB x) {
  return sum + (bytes_of(words, first) & x);
}
ISINGPROP_INLINE VecB to_unpack(VecB bytes) { return bytes; }

#endif

/// Returns entries of a table of 16 bytes; places are 0 to 15, or negative, where 0 is returned.
ISINGPROP_INLINE VecB look_up(const std::uint8_t* table, VecB places) {
#if defined(__AVX512F__)
  const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return reinterpret_cast<VecB>(_mm512_shuffle_epi8(_mm512_maskz_broadcast_i32x4(0xffff, entries),
                                                    reinterpret_cast<__m512i>(places)));
#elif defined(__AVX2__)
  const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return reinterpret_cast<VecB>(
      _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), reinterpret_cast<__m256i>(places)));
#else
  VecB result;
  for (int k = 0; k < kBytes; ++k) {
    result[k] = places[k] < 0 ? 0 : static_cast<std::int8_t>(table[places[k]]);
  }
  return result;
#endif
}

/// Interleaves the first and the second halves of each group of 16 bytes, in units of Bytes bytes.
///
///     Bytes = 2, a = a0 ... a7, b = b0 ... b7:   low = a0 b0 a1 b1 a2 b2 a3 b3,   high = a4 b4 ...
template <int Bytes>
ISINGPROP_INLINE void interleave(VecB a, VecB b, VecB& low, VecB& high) {
#if defined(__AVX512F__)
  const __m512i x = reinterpret_cast<__m512i>(a), y = reinterpret_cast<__m512i>(b);
  low =
      reinterpret_cast<VecB>(Bytes == 1 ? _mm512_unpacklo_epi8(x, y) : _mm512_unpacklo_epi16(x, y));
  high =
      reinterpret_cast<VecB>(Bytes == 1 ? _mm512_unpackhi_epi8(x, y) : _mm512_unpackhi_epi16(x, y));
#elif defined(__AVX2__)
  const __m256i x = reinterpret_cast<__m256i>(a), y = reinterpret_cast<__m256i>(b);
  low =
      reinterpret_cast<VecB>(Bytes == 1 ? _mm256_unpacklo_epi8(x, y) : _mm256_unpacklo_epi16(x, y));
  high =
      reinterpret_cast<VecB>(Bytes == 1 ? _mm256_unpackhi_epi8(x, y) : _mm256_unpackhi_epi16(x, y));
#else
  for (int k = 0; k < kBytes; ++k) {
    const int from = k / (2 * Bytes) * Bytes + k % Bytes;
    const VecB& source = k / Bytes % 2 == 0 ? a : b;
    low[k] = source[from];
    high[k] = source[from + kBytes / 2];
  }
#endif
}

/// Joins the four bytes of each number to vectors of numbers in the order of reads.
ISINGPROP_INLINE void join_bytes(const VecB* bytes, VecI* numbers) {
  VecB low01, high01, low23, high23, joined[4];
  interleave<1>(bytes[0], bytes[1], low01, high01);
  interleave<1>(bytes[2], bytes[3], low23, high23);
  interleave<2>(low01, low23, joined[0], joined[1]);
  interleave<2>(high01, high23, joined[2], joined[3]);
  for (int k = 0; k < 4; ++k) numbers[k] = reinterpret_cast<VecI>(joined[k]);
}

/// Returns a + b with a result of at most 255, for bytes without signs.
ISINGPROP_INLINE VecB add_saturated(VecB a, VecB b) {
#if defined(__AVX512F__)
  return reinterpret_cast<VecB>(
      _mm512_adds_epu8(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<VecB>(
      _mm256_adds_epu8(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  VecB result;
  for (int k = 0; k < kBytes; ++k) {
    const int sum = static_cast<std::uint8_t>(a[k]) + static_cast<std::uint8_t>(b[k]);
    result[k] = static_cast<std::int8_t>(sum > 255 ? 255 : sum);
  }
  return result;
#endif
}

}  // namespace ISINGPROP_TARGET
}  // namespace isingprop

/// Sums of doubles without any rounding, in plain fixed-point arithmetic.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace isingprop::test {

/// A whole number of 2^-1088, in digits of 32 bits, that holds any sum of up to 2^30 doubles.
class ExactSum {
 public:
  ExactSum& add(double term) {
    int exponent = 0;
    const double mantissa = std::frexp(term, &exponent);
    const auto whole = static_cast<std::int64_t>(std::ldexp(mantissa, kMantissaBits));
    const int shift = exponent - kMantissaBits + kSmallest;
    if (whole == 0) return *this;

    const std::int64_t high = whole / kBase, low = whole % kBase;
    add_part(low, shift);
    add_part(high, shift + kDigitBits);
    return *this;
  }

  /// Returns -1, 0 or +1.
  int sign() const {
    std::int64_t carry = 0;
    bool any = false;
    for (const std::int64_t digit : digits_) {
      const std::int64_t sum = digit + carry;
      carry = (sum - (sum % kBase + kBase) % kBase) / kBase;
      any = any || sum != carry * kBase;
    }
    return carry < 0 ? -1 : (any || carry > 0 ? 1 : 0);
  }

 private:
  static constexpr int kMantissaBits = 53, kDigitBits = 32, kSmallest = 1088 + kMantissaBits;
  static constexpr std::int64_t kBase = std::int64_t{1} << kDigitBits;

  void add_part(std::int64_t part, int shift) {
    const auto digit = static_cast<std::size_t>(shift / kDigitBits);
    const std::int64_t shifted = part * (std::int64_t{1} << (shift % kDigitBits));
    digits_[digit] += shifted % kBase;
    digits_[digit + 1] += shifted / kBase;
  }

  std::array<std::int64_t, 75> digits_{};
};

}  // namespace isingprop::test

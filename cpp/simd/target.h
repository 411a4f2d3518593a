/// Macros for code that is compiled once per instruction set ("target").
///
/// CMake compiles each kernel file several times with different -m flags and with ISINGPROP_TARGET
/// defined as `baseline`, `x86_64_v3` or `x86_64_v4`. Everything that depends on the flags lives in
/// `namespace isingprop::ISINGPROP_TARGET`, so that the copies have different names.
#pragma once

/// Qualifies every function of a header that kernels include.
///
/// An ordinary `inline` function outside the target's namespace would be compiled once per target
/// under one name, and the linker would keep any one of these copies for all callers: a processor
/// without AVX-512 could then run the AVX-512 copy. A static, always inlined function has no
/// symbol.
#define ISINGPROP_INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define ISINGPROP_UNROLL_4 _Pragma("clang loop unroll_count(4)")
#else
#define ISINGPROP_UNROLL_4 _Pragma("GCC unroll 4")
#endif

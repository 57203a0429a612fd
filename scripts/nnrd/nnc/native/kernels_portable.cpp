// The coder for any processor.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#define NNRD_TARGET portable
#include "kernels.inl"

namespace nnrd {

const Kernels portable_kernels = {"portable", portable::choose, portable::encode, portable::decode,
                                  portable::quantise};

const Kernels& kernels() {
#ifdef NNRD_HAS_V3
    static const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma") &&
                               __builtin_cpu_supports("lzcnt");
    if (has_v3) return v3_kernels;
#endif
    return portable_kernels;
}

}  // namespace nnrd

// The coder for x86-64-v3. Everything of the standard library comes before the pragma, so that no
// function that others share is compiled for this processor only.
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

#include "after_bin.hpp"
#include "bytes.hpp"
#include "costs.hpp"
#include "kernels.hpp"
#include "tables.hpp"

#ifdef NNRD_HAS_V3
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define NNRD_TARGET v3
#include "kernels.inl"
#pragma GCC pop_options

namespace nnrd {

const Kernels v3_kernels = {"x86-64-v3", v3::choose, v3::encode, v3::decode,
                            v3::quantise};

}  // namespace nnrd
#endif

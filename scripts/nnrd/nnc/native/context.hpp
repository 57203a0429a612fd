// A context: the adaptive estimate of one kind of bin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "after_bin.hpp"
#include "tables.hpp"

namespace nnrd::NNRD_TARGET {

struct Context {
    int16_t slow = 0;
    int16_t fast = 0;  // 16 times the counter
    // Where the rows for its shifts begin, in bytes.
    uint16_t slow_row = offsetof(AfterBin, slow);
    uint16_t fast_row = offsetof(AfterBin, fast) + sizeof(AfterBin::fast[0]);

    void start(int candidate) {
        const InitialState& from = kInitial[size_t(candidate)];
        fast = int16_t(16 * from.fast);
        slow = int16_t(from.sum - fast);
        slow_row = uint16_t(offsetof(AfterBin, slow) +
                            size_t(from.slow_shift - 4) * sizeof(AfterBin::slow[0]));
        fast_row =
            uint16_t(offsetof(AfterBin, fast) + size_t(from.fast_shift) * sizeof(AfterBin::fast[0]));
    }

    int sum() const { return slow + fast; }

    [[gnu::always_inline]] void update(unsigned bin) {
        const char* table = reinterpret_cast<const char*>(&kAfter.of[bin]) + 4096;
        slow = *reinterpret_cast<const int16_t*>(table + slow_row + 2 * slow);
        fast = *reinterpret_cast<const int16_t*>(table + fast_row + fast - 2048);
    }
};

// Where each kind of bin has its contexts. The order is the one that they are initialised in.
struct ContextLayout {
    static constexpr unsigned kSign = 48;     // behind 8 states x 3 neighbours of sig_flag, and
    static constexpr unsigned kGreater = 53;  // others that this profile of use does without
    static constexpr unsigned kClasses = 31;  // prefix bins of abs_remainder

    unsigned flags;  // cabac_unary_length_minus1 + 1

    static unsigned significant(unsigned state, unsigned neighbour) { return 3 * state + neighbour; }
    static unsigned sign(unsigned neighbour) { return kSign + neighbour; }
    static unsigned greater(unsigned flag, bool negative) {
        return kGreater + 2 * flag + (negative ? 1 : 0);
    }
    unsigned remainder() const { return kGreater + 4 * flags; }
    unsigned shift() const { return remainder() + 34; }
    unsigned row() const { return remainder() + 36; }
    unsigned count() const { return remainder() + 37; }
};

// 0, 1, 2: the value coded before this one is zero, negative, positive.
inline unsigned neighbour_of(int32_t value) {
    return (value < 0 ? 1u : 0u) + (value > 0 ? 2u : 0u);
}

// |value| - 1, also of the least int32.
inline uint32_t above_one(int32_t value) {
    return (value < 0 ? 0u - uint32_t(value) : uint32_t(value)) - 1u;
}

// What dependent quantisation codes of a level: the multiple of its state's quantiser.
inline int32_t halved(int32_t level, unsigned state) {
    if (level == 0) return 0;
    const int32_t odd = int32_t(state & 1);
    return int32_t(uint32_t(level) + uint32_t(level < 0 ? -odd : odd)) >> 1;
}

}  // namespace nnrd::NNRD_TARGET

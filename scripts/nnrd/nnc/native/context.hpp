// A context: the adaptive estimate of one kind of bin.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tables.hpp"

namespace nnrd::NNRD_TARGET {

// Steps of the slow counter, signed: [shift - 4][bin][(counter + (bin ? 0 : 127)) / 128 + 17].
// Rounding up for a 0 makes it what it is for a 1, mirrored.
struct SlowSteps {
    int16_t of[3][2][36];
};
constexpr SlowSteps make_slow_steps() {
    SlowSteps steps{};
    for (int shift = 0; shift < 3; shift++) {
        for (int i = -17; i <= 17; i++) {
            const int up = i < -16 ? 0 : i > 15 ? 31 : 16 + i;
            const int down = -i < -16 ? 0 : -i > 15 ? 31 : 16 - i;
            steps.of[shift][1][i + 17] = int16_t(kStep[up] >> (shift + 4));
            steps.of[shift][0][i + 17] = int16_t(-(kStep[down] >> (shift + 4)));
        }
    }
    return steps;
}
inline constexpr SlowSteps kSlowSteps = make_slow_steps();

struct Context {
    int16_t slow = 0;
    int16_t fast = 0;  // doubled
    uint16_t fast_shift = 2 * 256;  // where this context's shifts are in the tables
    uint16_t slow_shift = 0;

    void start(int candidate) {
        const InitialState& from = kInitial[size_t(candidate)];
        fast = int16_t(2 * from.fast);
        slow = int16_t(from.sum - 16 * from.fast);
        fast_shift = uint16_t(from.fast_shift * 2 * 256);
        slow_shift = uint16_t((from.slow_shift - 4) * 2 * 36);
    }

    int sum() const { return slow + 8 * fast; }

    [[gnu::always_inline]] void update(unsigned bin) {
        fast = int16_t(fast_after(fast_row(0, 0) + fast_shift + 256 * bin, fast));
        const int index = (slow + int(127 & (bin - 1))) >> 7;
        slow = int16_t(slow + (&kSlowSteps.of[0][0][0])[int(slow_shift + 36 * bin) + index + 17]);
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

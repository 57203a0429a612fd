// Constants of the arithmetic coder of ISO/IEC 15938-17 (see LICENSE.nncodec), and what is
// computed from them once, by the compiler.
//
// A context estimates a probability with two counters, a fast one of 8 bits and a slow one of 12.
// Their sum, slow + 16 * fast, is positive where a 1 is likely. Each counter moves by a step that
// depends on its own value, divided by 2 to a shift that belongs to the context.
#pragma once

#include <array>
#include <cstdint>

namespace nnrd {

// Width of the less probable bin's interval: [|sum| / 128][(range - 256) / 32].
inline constexpr std::array<uint8_t, 256> kRange = {
    128, 142, 156, 171, 185, 199, 213, 228, 112, 125, 137, 150, 162, 175, 187, 200, 97, 108, 119,
    130, 141, 152, 163, 174, 84, 93, 103, 112, 121, 131, 140, 150, 74, 82, 90, 99, 107, 115, 123,
    132, 65, 72, 79, 87, 94, 101, 108, 116, 57, 63, 70, 76, 82, 89, 95, 102, 50, 56, 61, 67, 73,
    78, 84, 90, 45, 50, 55, 60, 65, 70, 75, 80, 39, 43, 48, 52, 56, 61, 65, 70, 34, 38, 42, 46, 50,
    54, 58, 62, 30, 33, 37, 40, 43, 47, 50, 54, 27, 30, 33, 36, 39, 42, 45, 48, 23, 26, 28, 31, 34,
    36, 39, 42, 20, 22, 24, 27, 29, 31, 33, 36, 18, 20, 22, 24, 26, 28, 30, 32, 15, 17, 19, 21, 22,
    24, 26, 28, 14, 16, 17, 19, 21, 22, 24, 26, 12, 13, 15, 16, 17, 19, 20, 22, 11, 12, 13, 15, 16,
    17, 18, 20, 10, 11, 12, 13, 14, 15, 16, 18, 9, 10, 11, 12, 13, 14, 15, 16, 7, 8, 9, 10, 11, 12,
    13, 14, 7, 8, 9, 10, 11, 12, 13, 14, 5, 6, 6, 7, 8, 8, 9, 10, 5, 6, 6, 7, 8, 8, 9, 10, 4, 5, 5,
    6, 6, 7, 7, 8, 4, 5, 5, 6, 6, 7, 7, 8, 3, 3, 4, 4, 4, 5, 5, 6, 3, 3, 4, 4, 4, 5, 5, 6, 2, 2, 2,
    3, 3, 3, 3, 4, 2, 2, 2, 3, 3, 3, 3, 4,
};

// Step of a counter towards a bin, by the part of its range that it is in.
inline constexpr std::array<int16_t, 32> kStep = {
    2512, 2288, 2064, 1840, 1616, 1392, 1168, 944, 720, 560, 464, 368, 272, 208, 144, 80,
    64,   64,   64,   64,   64,   64,   64,   64,  64,  64,  64,  64,  64,  64,  64,  0,
};

// What a context may begin with; shift_idx_minus_1 + 1 chooses, 0 where it is not sent.
struct InitialState {
    int16_t fast_shift, slow_shift, sum, fast;
};
inline constexpr int kCandidates = 9;
inline constexpr std::array<InitialState, kCandidates> kInitial = {{
    {1, 4, 0, 0},
    {1, 4, -1310, -41},
    {1, 4, 3039, 95},
    {0, 5, 0, 0},
    {2, 6, 962, 30},
    {2, 6, 3039, 95},
    {2, 6, -673, -21},
    {3, 5, 0, 0},
    {3, 5, 962, 30},
}};

// The eight intervals of a row of kRange in one word, the narrowest range in the lowest byte.
constexpr std::array<uint64_t, 32> make_range_rows() {
    std::array<uint64_t, 32> rows{};
    for (int row = 0; row < 32; row++) {
        for (int column = 0; column < 8; column++) {
            rows[row] |= uint64_t(kRange[8 * row + column]) << (8 * column);
        }
    }
    return rows;
}
inline constexpr std::array<uint64_t, 32> kRangeRows = make_range_rows();

// A counter after a bin.
constexpr int moved(int counter, int bin, int segment, int shift) {
    const int sign = bin ? 1 : -1;
    int index = 16 + ((sign * counter) >> segment);
    index = index < 0 ? 0 : index > 31 ? 31 : index;  // only counters that do not occur
    return counter + sign * (kStep[index] >> shift);
}

// The eight states of dependent quantisation: [state][parity of the level].
inline constexpr std::array<std::array<uint8_t, 2>, 8> kNextState = {{
    {0, 2}, {7, 5}, {1, 3}, {6, 4}, {2, 0}, {5, 7}, {3, 1}, {4, 6},
}};

}  // namespace nnrd

// What a bin costs and what it makes of a context's counters: all that is looked up for it, reached
// from one address.
//
// They are spread out so that a lookup needs no arithmetic: the fast counter is kept as what it
// adds to the sum, 16 times its value, which is also its place in bytes; costs have an entry for
// each sum. A context visits a small part of them at a time.
#pragma once

#include <array>
#include <cstdint>

#include "costs.hpp"
#include "tables.hpp"

namespace nnrd {

struct AfterBin {
    int16_t slow[3][4096];  // [shift - 4][counter + 2048]
    int16_t fast[4][2048];  // [shift], each counter's at 8 * (counter + 128)
    uint32_t cost[8192];    // [sum + 4096]
};

struct AfterTables {
    AfterBin of[2];
};

constexpr AfterTables make_after_tables() {
    AfterTables tables{};
    for (int bin = 0; bin < 2; bin++) {
        AfterBin& table = tables.of[bin];
        for (int i = 0; i < 8192; i++) table.cost[i] = kCost.of[bin][i / 8];
        for (int shift = 0; shift < 3; shift++) {
            for (int i = 0; i < 4096; i++) {
                table.slow[shift][i] = int16_t(moved(i - 2048, bin, 7, shift + 4));
            }
        }
        for (int shift = 0; shift < 4; shift++) {
            for (int i = 0; i < 256; i++) {
                table.fast[shift][8 * i] = int16_t(16 * moved(i - 128, bin, 3, shift + 4));
            }
        }
    }
    return tables;
}

// In one place of memory for all kinds of processor.
inline constexpr AfterTables kAfter = make_after_tables();

}  // namespace nnrd

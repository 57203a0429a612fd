// The choice of each context's initial state (param_opt): nine candidates run beside each context.
//
// Candidates of one context never look at another context, so the bins of a block are gathered by
// context first, and each list is run through its candidates with all their counters in registers.
// The flags above a magnitude are not even written down: a list of magnitudes is cut to those that
// reach the next flag while the flag is run.
//
// Counters with the same shifts that met once stay together. Soon only five candidates differ:
// {0, 1, 2}, 3, {4, 5, 6}, 7 and 8, and the last two and 3 share their slow counter.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <vector>

#include "context.hpp"
#include "costs.hpp"
#include "kernels.hpp"

namespace nnrd::NNRD_TARGET {

class Trial {
public:
    explicit Trial(const ContextLayout& layout) : layout_(layout) {}

    // Levels as they are, not as dependent quantisation halves them: so chooses the reference.
    void run(const int32_t* levels, const Layer& layer, const std::vector<uint8_t>& skipped) {
        candidates_.resize(layout_.count());
        lists_.reset(new Lists);
        layer.dq ? gather<true>(levels, layer, skipped) : gather<false>(levels, layer, skipped);
        flush();
    }

    // The cheapest candidate; all but the first cost three bits more.
    unsigned best(unsigned context) const {
        if (candidates_.empty()) return 0;
        const auto& cost = candidates_[context].cost;
        unsigned best = 0;
        uint64_t least = cost[0];
        for (unsigned i = 1; i < kCandidates; i++) {
            if (cost[i] + 3 * 32768 < least) {
                best = i;
                least = cost[i] + 3 * 32768;
            }
        }
        return best;
    }

private:
    static constexpr size_t kBlock = 2048;

    struct Candidates {
        std::array<int, kCandidates> fast, slow;
        std::array<uint64_t, kCandidates> cost{};
        bool together = false;

        Candidates() {
            for (size_t i = 0; i < kCandidates; i++) {
                fast[i] = kInitial[i].fast;
                slow[i] = kInitial[i].sum - 16 * kInitial[i].fast;
            }
        }
    };

    struct Lists {
        size_t values = 0;
        size_t counts[24] = {}, sign_counts[3] = {}, above_counts[2] = {}, order_count = 0;
        uint8_t significant[24][kBlock], signs[3][kBlock], orders[kBlock];
        uint16_t above[2][kBlock];  // |value| - 1, at most the number of flags
    };

    template <bool kDq>
    void gather(const int32_t* levels, const Layer& layer, const std::vector<uint8_t>& skipped) {
        unsigned state = 0, neighbour = 0;
        const size_t width = skipped.empty() ? layer.count : layer.width;
        for (size_t first = 0, row = 0; first < layer.count; first += width, row++) {
            if (!skipped.empty() && skipped[row]) {
                if (kDq) {
                    for (size_t i = 0; i < width; i++) state = kNextState[state][0];
                }
                continue;
            }
            for (size_t i = first; i < first + width; i++) {
                const int32_t level = levels[i];
                add(level, state, neighbour);
                neighbour = neighbour_of(level);
                if (kDq) state = kNextState[state][halved(level, state) & 1];
            }
        }
    }

    [[gnu::always_inline]] void add(int32_t level, unsigned state, unsigned neighbour) {
        Lists& lists = *lists_;
        if (lists.values == kBlock) flush();
        lists.values++;
        const unsigned context = ContextLayout::significant(state, neighbour);
        lists.significant[context][lists.counts[context]++] = level != 0;
        if (level == 0) return;
        lists.signs[neighbour][lists.sign_counts[neighbour]++] = level < 0;
        const uint32_t above = above_one(level);
        const unsigned flags = layout_.flags;
        if (flags == 0) return;  // contexts that always begin with the first candidate
        const size_t negative = level < 0;
        lists.above[negative][lists.above_counts[negative]++] =
            uint16_t(std::min<uint32_t>(above, flags));
        if (above >= flags) {
            lists.orders[lists.order_count++] = uint8_t(std::bit_width(above - flags + 1) - 1);
        }
    }

    void flush() {
        Lists& lists = *lists_;
        for (unsigned i = 0; i < 24; i++) plain(i, lists.significant[i], lists.counts[i]);
        for (unsigned i = 0; i < 3; i++) {
            plain(ContextLayout::sign(i), lists.signs[i], lists.sign_counts[i]);
        }
        for (unsigned negative = 0; negative < 2; negative++) {
            size_t& count = lists.above_counts[negative];
            for (unsigned i = 0; i < layout_.flags && count; i++) {
                Candidates& those = candidates_[ContextLayout::greater(i, negative)];
                count = drive<true>(those, lists.above[negative], count, i);
            }
            count = 0;
        }
        for (unsigned i = 0; lists.order_count; i++) {
            Candidates& those = candidates_[layout_.remainder() + i];
            lists.order_count = drive<true>(those, lists.orders, lists.order_count, i);
        }
        lists.values = 0;
    }

    void plain(unsigned context, uint8_t* bins, size_t& count) {
        if (count) drive<false>(candidates_[context], bins, count, 0);
        count = 0;
    }

    // Runs a list through the candidates. If `kUnary`, the bins are `list[i] > level`, and what is
    // above is kept. Returns how many those are.
    template <bool kUnary, class T>
    static size_t drive(Candidates& those, T* list, size_t count, unsigned level) {
        if (those.together) return five<kUnary>(those, list, count, level);
        const size_t kept = nine<kUnary>(those, list, count, level);
        const auto& fast = those.fast;
        const auto& slow = those.slow;
        const auto met = [&](size_t a, size_t b) {
            return fast[a] == fast[b] && slow[a] == slow[b];
        };
        those.together = met(0, 1) && met(0, 2) && met(4, 5) && met(4, 6) && slow[7] == slow[8];
        return kept;
    }

    template <bool kUnary, class T>
    static size_t nine(Candidates& those, T* list, size_t count, unsigned level) {
        std::array<int, kCandidates> fast = those.fast, slow = those.slow;
        std::array<uint32_t, kCandidates> cost{};
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            const T item = list[i];
            const unsigned bin = kUnary ? item > level : item;
            const uint32_t* costs = kCost.of[bin] + 512;
            for (size_t k = 0; k < kCandidates; k++) {
                cost[k] += costs[(slow[k] + 16 * fast[k]) >> 3];
                fast[k] = kFast.next[kInitial[k].fast_shift][bin][fast[k] + 128];
                slow[k] = kSlow.next[kInitial[k].slow_shift - 4][bin][slow[k] + 2048];
            }
            if (kUnary) list[kept] = item;
            kept += bin;
        }
        those.fast = fast;
        those.slow = slow;
        for (size_t k = 0; k < kCandidates; k++) those.cost[k] += cost[k];
        return kept;
    }

    template <bool kUnary, class T>
    static size_t five(Candidates& those, T* list, size_t count, unsigned level) {
        int fast0 = those.fast[0], fast3 = those.fast[3], fast4 = those.fast[4];
        int fast7 = those.fast[7], fast8 = those.fast[8];
        int slow0 = those.slow[0], slow3 = those.slow[3], slow4 = those.slow[4];
        uint32_t cost0 = 0, cost3 = 0, cost4 = 0, cost7 = 0, cost8 = 0;
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            const T item = list[i];
            const unsigned bin = kUnary ? item > level : item;
            const uint32_t* costs = kCost.of[bin] + 512;
            cost0 += costs[(slow0 + 16 * fast0) >> 3];
            cost3 += costs[(slow3 + 16 * fast3) >> 3];
            cost4 += costs[(slow4 + 16 * fast4) >> 3];
            cost7 += costs[(slow3 + 16 * fast7) >> 3];
            cost8 += costs[(slow3 + 16 * fast8) >> 3];
            fast0 = kFast.next[1][bin][fast0 + 128];
            fast3 = kFast.next[0][bin][fast3 + 128];
            fast4 = kFast.next[2][bin][fast4 + 128];
            fast8 = kFast.next[3][bin][fast8 + 128];  // fast7 stays at 0: its steps are too small
            slow0 = kSlow.next[0][bin][slow0 + 2048];
            slow3 = kSlow.next[1][bin][slow3 + 2048];
            slow4 = kSlow.next[2][bin][slow4 + 2048];
            if (kUnary) list[kept] = item;
            kept += bin;
        }
        those.fast = {fast0, fast0, fast0, fast3, fast4, fast4, fast4, fast7, fast8};
        those.slow = {slow0, slow0, slow0, slow3, slow4, slow4, slow4, slow3, slow3};
        const uint32_t cost[] = {cost0, cost0, cost0, cost3, cost4, cost4, cost4, cost7, cost8};
        for (size_t k = 0; k < kCandidates; k++) those.cost[k] += cost[k];
        return kept;
    }

    const ContextLayout layout_;
    std::vector<Candidates> candidates_;
    std::unique_ptr<Lists> lists_;
};

}  // namespace nnrd::NNRD_TARGET

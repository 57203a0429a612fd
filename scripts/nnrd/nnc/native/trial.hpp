// The choice of each context's initial state (param_opt): nine candidates run beside each context.
//
// Candidates of one context never look at another context, so the bins of a block are gathered by
// context first, and each list is run through its candidates with all their counters in registers.
// The flags above a magnitude are not even written down: a list of magnitudes is cut to those that
// reach the next flag while the flag is run.
//
// Counters with the same shifts that met once stay together. Soon 0, 1 and 2 differ in the slow
// counter only, 3, 7 and 8 in the fast one only, and 4, 5 and 6 not at all.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <span>
#include <vector>

#include "after_bin.hpp"
#include "context.hpp"
#include "kernels.hpp"

namespace nnrd::NNRD_TARGET {

class Trial {
public:
    // Runs the candidates of a share's contexts only: all that several shares have in common is
    // that each looks at every level.
    Trial(const ContextLayout& layout, Share share) : layout_(layout), share_(share) {}

    // Levels as they are, not as dependent quantisation halves them: so chooses the reference.
    void run(const int32_t* levels, const Layer& layer, const std::vector<uint8_t>& skipped) {
        candidates_.resize(layout_.count());
        lists_.reset(new Lists(std::min(kBlock, layer.count), layer.dq));
        layer.dq ? gather<true>(levels, layer, skipped) : gather<false>(levels, layer, skipped);
        flush();
    }

    // Of each context the cheapest candidate; the first where it was not tried.
    std::vector<uint8_t> best() const {
        std::vector<uint8_t> found(layout_.count());
        std::transform(candidates_.begin(), candidates_.end(), found.begin(), cheapest);
        return found;
    }

private:
    static constexpr size_t kBlock = 8192;  // the tables are warm for longer than they warm up

    struct Candidates {
        std::array<int64_t, kCandidates> fast, slow;  // fast: 16 times
        std::array<uint64_t, kCandidates> cost{};
        int met = 0;  // 1: fast counters of one shift are equal, 2: all but slow 0, 1 and 2

        Candidates() {
            for (size_t i = 0; i < kCandidates; i++) {
                fast[i] = 16 * kInitial[i].fast;
                slow[i] = kInitial[i].sum - 16 * kInitial[i].fast;
            }
        }
    };

    // All but the first cost three bits more.
    static uint8_t cheapest(const Candidates& those) {
        const auto& cost = those.cost;
        uint8_t best = 0;
        uint64_t least = cost[0];
        for (uint8_t i = 1; i < kCandidates; i++) {
            if (cost[i] + 3 * 32768 < least) {
                best = i;
                least = cost[i] + 3 * 32768;
            }
        }
        return best;
    }

    // As long as a block, and uninitialised.
    template <class T>
    struct List {
        std::unique_ptr<T[]> items;
        size_t count = 0;
        explicit List(size_t capacity = 0) : items(new T[capacity]) {}
        void add(T item) { items[count++] = item; }
    };

    struct Lists {
        size_t values = 0;
        List<uint8_t> significant[24], signs[3], orders;
        List<uint16_t> above[2];  // |value| - 1, at most the number of flags
        explicit Lists(size_t capacity, bool dq) : orders(capacity) {
            for (auto& list : std::span(significant, dq ? 24 : 3)) list = List<uint8_t>(capacity);
            for (auto& list : signs) list = List<uint8_t>(capacity);
            for (auto& list : above) list = List<uint16_t>(capacity);
        }
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
        lists.significant[ContextLayout::significant(state, neighbour)].add(level != 0);
        if (level == 0) return;
        lists.signs[neighbour].add(level < 0);
        const uint32_t above = above_one(level);
        const unsigned flags = layout_.flags;
        if (flags == 0) return;  // contexts that always begin with the first candidate
        lists.above[level < 0].add(uint16_t(std::min<uint32_t>(above, flags)));
        if (above >= flags) lists.orders.add(uint8_t(std::bit_width(above - flags + 1) - 1));
    }

    void flush() {
        Lists& lists = *lists_;
        for (unsigned i = 0; i < 24; i++) plain(i, lists.significant[i], i);
        for (unsigned i = 0; i < 3; i++) plain(ContextLayout::sign(i), lists.signs[i], i);
        for (unsigned negative = 0; negative < 2; negative++) {
            List<uint16_t>& list = lists.above[negative];
            for (unsigned i = 0; ours(negative) && i < layout_.flags && list.count; i++) {
                unary(ContextLayout::greater(i, negative), list, i);
            }
            list.count = 0;
        }
        for (unsigned i = 0; ours(2) && lists.orders.count; i++) {
            unary(layout_.remainder() + i, lists.orders, i);
        }
        lists.orders.count = 0;
        lists.values = 0;
    }

    // Whether this share runs the nth of the lists that do not depend on one another.
    bool ours(unsigned n) const { return n % share_.count == share_.index; }

    void plain(unsigned context, List<uint8_t>& list, unsigned n) {
        if (ours(n) && list.count) drive<false>(candidates_[context], list.items.get(), list.count, 0);
        list.count = 0;
    }

    template <class T>
    void unary(unsigned context, List<T>& list, unsigned level) {
        list.count = drive<true>(candidates_[context], list.items.get(), list.count, level);
    }

    // Runs a list through the candidates. If `kUnary`, the bins are `list[i] > level`, and what is
    // above is kept. Returns how many those are.
    template <bool kUnary, class T>
    static size_t drive(Candidates& those, T* list, size_t count, unsigned level) {
        if (those.met == 2) return step<kUnary, 2>(those, list, count, level);
        const size_t kept = those.met == 1 ? step<kUnary, 1>(those, list, count, level)
                                           : step<kUnary, 0>(those, list, count, level);
        const auto same = [](const auto& all, size_t a, size_t b) { return all[a] == all[b]; };
        const auto& fast = those.fast;
        const auto& slow = those.slow;
        if (same(fast, 0, 1) && same(fast, 0, 2) && same(fast, 4, 5) && same(fast, 4, 6)) {
            those.met = same(slow, 4, 5) && same(slow, 4, 6) && same(slow, 3, 8) ? 2 : 1;
        }
        return kept;
    }

    using Sum = uint32_t __attribute__((vector_size(16)));  // one number: vector registers are free

    // What `kMet` says is equal is one variable. Candidate 7 has the slow counter of 3, and its
    // fast counter stays at 0: the steps are too small.
    template <bool kUnary, int kMet, class T>
    [[gnu::noinline]] static size_t step(Candidates& those, T* list, size_t count,
                                         unsigned level) {
        auto [fast0, fast1, fast2, fast3, fast4, fast5, fast6, fast7, fast8] = those.fast;
        auto [slow0, slow1, slow2, slow3, slow4, slow5, slow6, slow7, slow8] = those.slow;
        Sum sum0{}, sum1{}, sum2{}, sum3{}, sum4{}, sum5{}, sum6{}, sum7{}, sum8{};
        T* kept = list;
        for (const T* next = list; next < list + count; next++) {
            const T item = *next;
            const bool bin = kUnary ? item > level : item != 0;
            const AfterBin* table = &kAfter.of[bin];
            asm("" : "+r"(table));  // one address for all lookups, not one for each
            const AfterBin& to = *table;
            const uint32_t* cost = to.cost + 4096;
            sum0 += Sum{cost[slow0 + fast0]};
            sum1 += Sum{cost[slow1 + (kMet ? fast0 : fast1)]};
            sum2 += Sum{cost[slow2 + (kMet ? fast0 : fast2)]};
            sum3 += Sum{cost[slow3 + fast3]};
            sum4 += Sum{cost[slow4 + fast4]};
            if (kMet < 2) sum5 += Sum{cost[slow5 + (kMet ? fast4 : fast5)]};
            if (kMet < 2) sum6 += Sum{cost[slow6 + (kMet ? fast4 : fast6)]};
            sum7 += Sum{cost[slow3]};
            sum8 += Sum{cost[(kMet == 2 ? slow3 : slow8) + fast8]};
            fast0 = fast_to(to, 1, fast0);
            if (!kMet) fast1 = fast_to(to, 1, fast1);
            if (!kMet) fast2 = fast_to(to, 1, fast2);
            fast3 = fast_to(to, 0, fast3);
            fast4 = fast_to(to, 2, fast4);
            if (!kMet) fast5 = fast_to(to, 2, fast5);
            if (!kMet) fast6 = fast_to(to, 2, fast6);
            fast8 = fast_to(to, 3, fast8);
            slow0 = to.slow[0][slow0 + 2048];
            slow1 = to.slow[0][slow1 + 2048];
            slow2 = to.slow[0][slow2 + 2048];
            slow3 = to.slow[1][slow3 + 2048];
            slow4 = to.slow[2][slow4 + 2048];
            if (kMet < 2) slow5 = to.slow[2][slow5 + 2048];
            if (kMet < 2) slow6 = to.slow[2][slow6 + 2048];
            if (kMet < 2) slow8 = to.slow[1][slow8 + 2048];
            if (kUnary) {
                *kept = item;
                kept += bin;
            }
        }
        if (kMet) fast1 = fast2 = fast0, fast5 = fast6 = fast4;
        if (kMet == 2) slow5 = slow6 = slow4, slow8 = slow3, sum5 = sum6 = sum4;
        slow7 = slow3;
        those.fast = {fast0, fast1, fast2, fast3, fast4, fast5, fast6, fast7, fast8};
        those.slow = {slow0, slow1, slow2, slow3, slow4, slow5, slow6, slow7, slow8};
        const Sum sums[] = {sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7, sum8};
        for (size_t k = 0; k < kCandidates; k++) those.cost[k] += sums[k][0];
        return size_t(kept - list);
    }

    [[gnu::always_inline]] static int64_t fast_to(const AfterBin& to, int shift, int64_t fast) {
        const char* place = reinterpret_cast<const char*>(to.fast[shift] + 1024) + fast;
        return *reinterpret_cast<const int16_t*>(place);
    }

    const ContextLayout layout_;
    const Share share_;
    std::vector<Candidates> candidates_;
    std::unique_ptr<Lists> lists_;
};

}  // namespace nnrd::NNRD_TARGET

// Dependent quantisation: two quantisers, eight states, and the cheapest path through a trellis.
//
// Even states take the even multiples of the step, odd states the odd ones and zero. A state is
// entered from two others: from one by an odd level, from the other by an even level or by zero.
// All eight minima of a value are found side by side. Which branch won takes two bits a state, so
// the decisions of a value fit into its own place in the array of levels until the path is traced
// back: the trellis needs no memory of its own.
//
// Costs are doubles, added in the reference's order and compared as it compares them: a tie goes
// to the branch that comes first in the order (state before, even level, zero, odd level).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>

#include "kernels.hpp"
#include "rate.hpp"
#include "tables.hpp"

namespace nnrd::NNRD_TARGET {

// Entering state s: from kEven[s] by an even level or zero, from kOdd[s] by an odd level.
inline constexpr uint8_t kEvenFrom[8] = {0, 2, 4, 6, 7, 5, 3, 1};
inline constexpr uint8_t kOddFrom[8] = {4, 6, 0, 2, 3, 1, 7, 5};
// Which multiples those levels are, by 4.
inline constexpr uint8_t kEvenPhase[8] = {0, 0, 0, 0, 3, 3, 3, 3};
inline constexpr uint8_t kOddPhase[8] = {2, 2, 2, 2, 1, 1, 1, 1};

using Costs = double __attribute__((vector_size(32)));
using Lanes = int64_t __attribute__((vector_size(32)));

// Four of the eight costs in two vectors. Not a function: without AVX none can return a vector.
#ifdef __clang__
#define NNRD_PICKED(low, high, ...) __builtin_shufflevector(low, high, __VA_ARGS__)
#else
#define NNRD_PICKED(low, high, ...) __builtin_shuffle(low, high, Lanes{__VA_ARGS__})
#endif

// The four multiples of the step around |value| are first, first + 1, first + 2 and first + 3.
// `kHuge`: where it may be beyond the integers, all but the first wrap around, as in the reference.
template <bool kHuge>
[[gnu::always_inline]] inline int32_t first_candidate(double magnitude) {
    if (kHuge && !(magnitude < 2147483648.0)) return std::numeric_limits<int32_t>::max();
    return std::max(1, int32_t(magnitude) - 1);
}

// Of them the one whose remainder by 4 is `phase`.
[[gnu::always_inline]] inline int32_t candidate(int32_t first, int phase) {
    return int32_t(uint32_t(first) + ((uint32_t(phase) - uint32_t(first)) & 3));
}

class Trellis {
public:
    Trellis(const float* values, size_t count, const Quantiser& how, int32_t* levels)
        : values_(values), count_(count), levels_(levels), inverse_(1.0 / double(how.step)),
          inverse_float_(float(1.0 / double(how.step))) {
        if (how.lambda > 0) {
            const double factor = how.lambda * 4.0 * (std::log(2.) / 6.) * 0.7;
            weight_ = double(1 << 15) / factor;
            rates_.reset(new Rates[2]{Rates(how.flags), Rates(how.flags)});
        }
    }

    bool run() {
        std::fill_n(cost_, 8, 0.5 * std::numeric_limits<double>::max());
        cost_[0] = 0.0;
        for (size_t first = 0; first < count_; first += kBlock) {
            const size_t length = std::min(kBlock, count_ - first);
            const float largest = greatest(values_ + first, length);
            if (!(largest < 2147483648.0f)) return false;
            huge_ |= largest > 1e9f;
            huge_ ? distances<true>(first, length) : distances<false>(first, length);
            rates_ ? rated(first, length) : unrated(first, length);
        }
        huge_ ? trace<true>() : trace<false>();
        return true;
    }

private:
    static constexpr size_t kBlock = 256;

    struct Rates {
        StateRate state[8];
        explicit Rates(unsigned flags)
            : state{{0, flags}, {1, flags}, {2, flags}, {3, flags},
                    {4, flags}, {5, flags}, {6, flags}, {7, flags}} {}
    };

    float greatest(const float* values, size_t length) const {
        float largest = 0;
        const float inverse = inverse_float_;
        for (size_t i = 0; i < length; i++) {
            const float magnitude = std::fabs(values[i] * inverse);
            largest = magnitude > largest ? magnitude : largest;
        }
        return largest;
    }

    // The squared distances of a block to its four candidates, by phase, and to zero.
    template <bool kHuge>
    void distances(size_t start, size_t length) {
        const float* __restrict values = values_ + start;
        double* __restrict to = distance_;
        const double weight = weight_, inverse = inverse_;
        for (size_t i = 0; i < length; i++) {
            const double magnitude = std::fabs(inverse * double(values[i]));
            const int32_t first = first_candidate<kHuge>(magnitude);
            const double by0 = magnitude - double(candidate(first, 0));
            const double by1 = magnitude - double(candidate(first, 1));
            const double by2 = magnitude - double(candidate(first, 2));
            const double by3 = magnitude - double(candidate(first, 3));
            to[i] = weight * (by0 * by0);
            to[i + kBlock] = weight * (by1 * by1);
            to[i + 2 * kBlock] = weight * (by2 * by2);
            to[i + 3 * kBlock] = weight * (by3 * by3);
            to[i + 4 * kBlock] = weight * (magnitude * magnitude);
        }
    }

    // Rate not weighed: the costs are the distances alone.
    void unrated(size_t start, size_t length) {
        Costs low = {cost_[0], cost_[1], cost_[2], cost_[3]};
        Costs high = {cost_[4], cost_[5], cost_[6], cost_[7]};
        const double* distance = distance_;
        for (size_t i = 0; i < length; i++) {
            const double zero = distance[4 * kBlock + i];
            const Costs low_even = NNRD_PICKED(low, high, 0, 2, 4, 6);
            const Costs low_odd = NNRD_PICKED(low, high, 4, 6, 0, 2);
            const Costs high_even = NNRD_PICKED(low, high, 7, 5, 3, 1);
            const Costs high_odd = NNRD_PICKED(low, high, 3, 1, 7, 5);
            Lanes decisions;
            cheapest<0>(low_even + distance[i], low_even + zero,
                        low_odd + distance[2 * kBlock + i], low, decisions);
            Lanes more;
            cheapest<4>(high_even + distance[3 * kBlock + i], high_even + zero,
                        high_odd + distance[kBlock + i], high, more);
            decisions |= more;
            levels_[start + i] =
                int32_t((decisions[0] | decisions[1]) | (decisions[2] | decisions[3]));
        }
        for (int i = 0; i < 4; i++) {
            cost_[i] = low[i];
            cost_[i + 4] = high[i];
        }
    }

    // In states 0, 1, 6 and 7 the even branches come first, in the others the odd one.
    template <int kFirst>
    [[gnu::always_inline]] static void cheapest(const Costs& even, const Costs& zero,
                                                const Costs& odd, Costs& cost,
                                                Lanes& decisions) {
        constexpr Lanes kZero = Lanes{1, 2, 4, 8} << kFirst, kOdd = kZero << 8;
        constexpr Lanes kTies = kFirst ? Lanes{-1, -1, 0, 0} : Lanes{0, 0, -1, -1};
        const Lanes is_zero = zero < even;
        const Costs best = zero < even ? zero : even;
        const Lanes is_odd = (odd < best) | (kTies & (odd == best));
        cost = odd < best ? odd : best;  // of equal ones either
        decisions = (is_zero & kZero) | (is_odd & kOdd);
    }

    // With the rate of each candidate, which depends on the path that leads to its state.
    void rated(size_t start, size_t length) {
        for (size_t i = 0; i < length; i++) {
            const StateRate* before = rates_[bank_].state;
            bank_ ^= 1;
            StateRate* after = rates_[bank_].state;
            const bool negative = values_[start + i] < 0;
            const double magnitude = std::fabs(inverse_ * double(values_[start + i]));
            const int32_t first = first_candidate<true>(magnitude);
            double cost[8];
            uint32_t decision = 0;
            for (unsigned to = 0; to < 8; to++) {
                const size_t even = kEvenPhase[to], odd = kOddPhase[to];
                const int32_t even_level = level(first, int(even), negative);
                const int32_t odd_level = level(first, int(odd), negative);
                const unsigned from = kEvenFrom[to], other = kOddFrom[to];
                const double by_even =
                    cost_[from] + distance_[even * kBlock + i] + before[from].bits(even_level);
                const double by_zero = cost_[from] + distance_[4 * kBlock + i] + before[from].bits(0);
                const double by_odd =
                    cost_[other] + distance_[odd * kBlock + i] + before[other].bits(odd_level);
                const bool is_zero = by_zero < by_even;
                const double best = is_zero ? by_zero : by_even;
                const bool is_odd = from < other ? by_odd < best : by_odd <= best;
                cost[to] = is_odd ? by_odd : best;
                decision |= uint32_t(is_zero) << to | uint32_t(is_odd) << (8 + to);
                after[to].follow(before[is_odd ? other : from],
                                 is_odd ? odd_level : is_zero ? 0 : even_level);
            }
            std::copy_n(cost, 8, cost_);
            levels_[start + i] = int32_t(decision);
        }
    }

    // The level as it is coded: the multiple within its quantiser.
    [[gnu::always_inline]] static int32_t level(int32_t first, int phase, bool negative) {
        const int32_t half = int32_t(uint32_t(candidate(first, phase)) + 1u) >> 1;
        const int32_t sign = negative ? -1 : 0;
        return int32_t((uint32_t(half) ^ uint32_t(sign)) - uint32_t(sign));
    }

    // Replaces the decisions by the levels of the cheapest path, last value first.
    template <bool kHuge>
    void trace() {
        static constexpr uint8_t kFrom[16] = {0, 2, 4, 6, 7, 5, 3, 1, 4, 6, 0, 2, 3, 1, 7, 5};
        static constexpr uint8_t kPhase[16] = {0, 0, 0, 0, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1};
        unsigned state = unsigned(std::min_element(cost_, cost_ + 8) - cost_);
        for (size_t i = count_; i-- > 0;) {
            const uint32_t decision = uint32_t(levels_[i]) >> state;
            const unsigned entered = state | (decision >> 5 & 8);
            const uint32_t keep = (decision & ~(decision >> 8) & 1) - 1;  // 0 for a zero
            const double magnitude = std::fabs(inverse_ * double(values_[i]));
            const int32_t first = first_candidate<kHuge>(magnitude);
            const int32_t half = level(first, kPhase[entered], values_[i] < 0);
            state = kFrom[entered];
            const int32_t sign = half >> 31, parity = int32_t(state & 1);
            levels_[i] = int32_t((2 * uint32_t(half) - uint32_t((parity ^ sign) - sign)) & keep);
        }
    }

    const float* values_;
    const size_t count_;
    int32_t* levels_;
    const double inverse_;
    const float inverse_float_;
    double weight_ = 1.0;
    double cost_[8];
    double distance_[5 * kBlock];  // to phase 0, 1, 2, 3, zero
    bool huge_ = false;
    std::unique_ptr<Rates[]> rates_;  // before and after a value, in turn
    unsigned bank_ = 0;
};

#undef NNRD_PICKED
}  // namespace nnrd::NNRD_TARGET

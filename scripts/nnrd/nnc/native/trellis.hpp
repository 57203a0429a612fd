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

using Costs = double __attribute__((vector_size(32)));
using Lanes = int64_t __attribute__((vector_size(32)));

// As a conversion in the processor does it: what is too large becomes the least int32.
inline int32_t truncated(double value) {
    return value < 2147483648.0 ? int32_t(value) : std::numeric_limits<int32_t>::min();
}

// The four multiples of the step around |value| are first, first + 1, first + 2 and first + 3.
inline int32_t first_candidate(double magnitude) {
    return std::max(1, int32_t(uint32_t(truncated(magnitude)) - 1u));
}

// Of them the one whose remainder by 4 is `phase`.
inline int32_t candidate(int32_t first, int phase) {
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
            if (!distances(first, length)) return false;
            rates_ ? rated(first, length) : unrated(first, length);
        }
        trace();
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

    // The squared distances of a block; false where a level would not fit 32 bits.
    bool distances(size_t start, size_t length) {
        const float* values = values_ + start;
        float largest = 0;
        for (size_t i = 0; i < length; i++) {
            largest = std::max(largest, std::fabs(values[i] * inverse_float_));
        }
        if (!(largest < 2147483648.0f)) return false;
        for (size_t i = 0; i < length; i++) {
            const double magnitude = std::fabs(inverse_ * double(values[i]));
            const int32_t first = first_candidate(magnitude);
            distance_[4][i] = weight_ * (magnitude * magnitude);
            for (int phase = 0; phase < 4; phase++) {
                const double difference = magnitude - double(candidate(first, phase));
                distance_[phase][i] = weight_ * (difference * difference);
            }
        }
        return true;
    }

    // Rate not weighed: the costs are the distances alone.
    void unrated(size_t start, size_t length) {
        Costs low = {cost_[0], cost_[1], cost_[2], cost_[3]};
        Costs high = {cost_[4], cost_[5], cost_[6], cost_[7]};
        for (size_t i = 0; i < length; i++) {
            const double zero = distance_[4][i];
            const Costs low_even = __builtin_shuffle(low, high, Lanes{0, 2, 4, 6});
            const Costs low_odd = __builtin_shuffle(low, high, Lanes{4, 6, 0, 2});
            const Costs high_even = __builtin_shuffle(low, high, Lanes{7, 5, 3, 1});
            const Costs high_odd = __builtin_shuffle(low, high, Lanes{3, 1, 7, 5});
            uint32_t decision = 0;
            cheapest<0>(low_even + distance_[0][i], low_even + zero, low_odd + distance_[2][i],
                        low, decision);
            cheapest<4>(high_even + distance_[3][i], high_even + zero, high_odd + distance_[1][i],
                        high, decision);
            levels_[start + i] = int32_t(decision);
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
                                                uint32_t& decision) {
        const Lanes is_zero = zero < even;
        const Costs best = is_zero ? zero : even;
        const Lanes before = kFirst ? Lanes{0, 0, -1, -1} : Lanes{-1, -1, 0, 0};
        const Lanes is_odd = (odd < best) | (~before & (odd == best));
        decision |= mask(is_zero) << kFirst | mask(is_odd) << (8 + kFirst);
        cost = is_odd ? odd : best;
    }

    [[gnu::always_inline]] static uint32_t mask(const Lanes& lanes) {
#ifdef __AVX2__
        return uint32_t(__builtin_ia32_movmskpd256(Costs(lanes)));
#else
        return uint32_t((lanes[0] & 1) | (lanes[1] & 2) | (lanes[2] & 4) | (lanes[3] & 8));
#endif
    }

    // With the rate of each candidate, which depends on the path that leads to its state.
    void rated(size_t start, size_t length) {
        for (size_t i = 0; i < length; i++) {
            const StateRate* before = rates_[bank_].state;
            bank_ ^= 1;
            StateRate* after = rates_[bank_].state;
            const bool negative = values_[start + i] < 0;
            const double magnitude = std::fabs(inverse_ * double(values_[start + i]));
            const int32_t first = first_candidate(magnitude);
            double cost[8];
            uint32_t decision = 0;
            for (unsigned to = 0; to < 8; to++) {
                const int even = to < 4 ? 0 : 3, odd = to < 4 ? 2 : 1;
                const int32_t even_level = level(first, even, negative);
                const int32_t odd_level = level(first, odd, negative);
                const unsigned from = kEvenFrom[to], other = kOddFrom[to];
                const double by_even =
                    cost_[from] + distance_[even][i] + before[from].bits(even_level);
                const double by_zero = cost_[from] + distance_[4][i] + before[from].bits(0);
                const double by_odd =
                    cost_[other] + distance_[odd][i] + before[other].bits(odd_level);
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
    static int32_t level(int32_t first, int phase, bool negative) {
        const int32_t half = int32_t(uint32_t(candidate(first, phase)) + 1u) >> 1;
        return negative ? -half : half;
    }

    // Replaces the decisions by the levels of the cheapest path, last value first.
    void trace() {
        unsigned state = unsigned(std::min_element(cost_, cost_ + 8) - cost_);
        for (size_t i = count_; i-- > 0;) {
            const uint32_t decision = uint32_t(levels_[i]) >> state;
            const bool odd = decision >> 8 & 1, zero = decision & 1;
            const int phase = odd ? (state < 4 ? 2 : 1) : (state < 4 ? 0 : 3);
            state = odd ? kOddFrom[state] : kEvenFrom[state];
            const double magnitude = std::fabs(inverse_ * double(values_[i]));
            const int32_t half = level(first_candidate(magnitude), phase, values_[i] < 0);
            const int32_t parity = int32_t(state & 1);
            const uint32_t full = 2 * uint32_t(half) + uint32_t(half < 0 ? parity : -parity);
            levels_[i] = (zero && !odd) || half == 0 ? 0 : int32_t(full);
        }
    }

    const float* values_;
    const size_t count_;
    int32_t* levels_;
    const double inverse_;
    const float inverse_float_;
    double weight_ = 1.0;
    double cost_[8];
    double distance_[5][kBlock];
    std::unique_ptr<Rates[]> rates_;  // before and after a value, in turn
    unsigned bank_ = 0;
};

}  // namespace nnrd::NNRD_TARGET

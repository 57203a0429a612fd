// The estimated rate of a level, in 2^-15 bits, where quantisation weighs it (lambda > 0).
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "context.hpp"
#include "costs.hpp"

namespace nnrd::NNRD_TARGET {

// The contexts along the path to a state. All begin with the first candidate.
class StateRate {
public:
    StateRate(unsigned state, unsigned flags)
        : state_(state), layout_{flags}, contexts_(layout_.count()) {}

    // What a level would cost here.
    double bits(int32_t level) const {
        uint32_t bits = 0;
        each_bin(level, [&](unsigned context, unsigned bin) {
            bits += kCost.of[bin][512 + (contexts_[context].sum() >> 3)];
        });
        return double(bits + bypass_bits(level));
    }

    // Goes on from another state with a level. The contexts are those of this state and of the
    // level that led to it when it was last used: so does the reference.
    void follow(const StateRate& other, int32_t level) {
        std::copy(other.contexts_.begin(), other.contexts_.end(), contexts_.begin());
        update(level);
    }

    void update(int32_t level) {
        each_bin(level, [&](unsigned context, unsigned bin) { contexts_[context].update(bin); });
        neighbour_ = neighbour_of(level);
    }

private:
    template <class Visit>
    [[gnu::always_inline]] void each_bin(int32_t level, Visit visit) const {
        visit(ContextLayout::significant(state_, neighbour_), level != 0);
        if (level == 0) return;
        visit(ContextLayout::sign(neighbour_), level < 0);
        const uint32_t above = above_one(level);
        const unsigned flags = std::max(1u, layout_.flags);
        unsigned context = ContextLayout::greater(0, level < 0);
        for (unsigned i = 0; i < std::min(above, flags); i++, context += 2) visit(context, 1);
        if (above < flags) {
            visit(context, 0);
            return;
        }
        const int order = std::bit_width(above - flags + 1) - 1;
        context = layout_.remainder();
        for (int i = 0; i < order; i++) visit(context++, 1);
        visit(context, 0);
    }

    uint32_t bypass_bits(int32_t level) const {
        const uint32_t above = above_one(level);
        const unsigned flags = std::max(1u, layout_.flags);
        if (level == 0 || above < flags) return 0;
        return uint32_t(std::bit_width(above - flags + 1) - 1) << 15;
    }

    unsigned state_;
    unsigned neighbour_ = 0;
    ContextLayout layout_;
    std::vector<Context> contexts_;
};

}  // namespace nnrd::NNRD_TARGET

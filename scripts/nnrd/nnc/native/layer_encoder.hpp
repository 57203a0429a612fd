// The values of a tensor as bins: shift_parameter_ids(), row_skip_list and quant_tensor().
#pragma once

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <vector>

#include "bin_encoder.hpp"
#include "kernels.hpp"
#include "trial.hpp"

namespace nnrd::NNRD_TARGET {

class LayerEncoder {
public:
    LayerEncoder(const int32_t* levels, const Layer& layer, const CodingOptions& options)
        : levels_(levels), layer_(layer), options_(options), layout_{layer.flags},
          contexts_(layout_.count()) {
        if (!options.plain && options.row_skipping && layer.has_rows()) find_skipped();
    }

    // The initial states that a trial finds; those of other shares are 0.
    std::vector<uint8_t> choose(Share share) const {
        Trial trial(layout_, share);
        if (layer_.book.size != 1 || options_.plain) trial.run(levels_, layer_, skipped_);
        return trial.best();
    }

    void encode(Bytes& out) {
        BinEncoder bins(out);
        if (layer_.qp_bits) {
            const uint32_t mask = (1u << layer_.qp_bits) - 1;
            bins.bypass(uint32_t(layer_.qp) & mask, layer_.qp_bits);
        }
        if (!options_.plain && layer_.has_rows()) rows(bins);
        shifts(bins);
        const bool book = layer_.book.size > 0 && !options_.plain;
        if (layer_.dq) {
            book ? values<true, true>(bins) : values<true, false>(bins);
        } else {
            book ? values<false, true>(bins) : values<false, false>(bins);
        }
        bins.finish();
    }

private:
    // row_skip_enabled_flag, row_skip_list
    void rows(BinEncoder& bins) {
        bins.bypass(options_.row_skipping ? 1 : 0, 1);
        if (!options_.row_skipping) return;
        for (const uint8_t skipped : skipped_) bins.bin(contexts_[layout_.row()], skipped);
    }

    void find_skipped() {
        skipped_.resize(layer_.count / layer_.width);
        for (size_t row = 0; row < skipped_.size(); row++) {
            const int32_t* first = levels_ + row * layer_.width;
            skipped_[row] = std::all_of(first, first + layer_.width, [](int32_t v) { return !v; });
        }
    }

    std::vector<uint8_t> initial() const {
        if (options_.initial.empty()) {
            return options_.param_opt ? choose({}) : std::vector<uint8_t>(layout_.count());
        }
        const auto known = [](uint8_t candidate) { return candidate < kCandidates; };
        if (options_.initial.size() != layout_.count() ||
            !std::all_of(options_.initial.begin(), options_.initial.end(), known)) {
            throw std::invalid_argument("initial states of other contexts");
        }
        return {options_.initial.begin(), options_.initial.end()};
    }

    // shift_parameter_ids(): the initial state of each context that this tensor may use.
    void shifts(BinEncoder& bins) {
        const std::vector<uint8_t> states = initial();
        for (unsigned i = 0; i < (layer_.dq ? 24u : 3u); i++) shift(bins, states, i, uses_values());
        for (unsigned i = 0; i < 3; i++) {
            shift(bins, states, ContextLayout::sign(i), uses_signs());
        }
        const int64_t most = largest();
        for (unsigned i = 0; i < 2 * layer_.flags; i++) {
            shift(bins, states, ContextLayout::kGreater + i, most < 0 || int64_t(i) < 2 * most);
        }
        if (layer_.flags == 0) return;  // so does the reference where it tries an entry as zero
        int64_t reached = int64_t(layer_.flags) - 1;
        for (unsigned i = 0; i < ContextLayout::kClasses; i++) {
            reached += int64_t(1) << i;
            shift(bins, states, layout_.remainder() + i, most < 0 || reached < most);
        }
    }

    // shift_idx_minus_1; contexts that no value can use are not sent.
    void shift(BinEncoder& bins, const std::vector<uint8_t>& states, unsigned context, bool sent) {
        const unsigned best = sent ? states[context] : 0;
        if (sent) {
            bins.bin(contexts_[layout_.shift()], best != 0);
            if (best) bins.bypass(best - 1, 3);
        }
        contexts_[context].start(int(best));
    }

    bool uses_values() const { return layer_.book.size != 1; }
    bool uses_signs() const {
        const Book& book = layer_.book;
        return book.size == 0 || (book.zero != 0 && book.zero != book.size - 1);
    }
    // The greatest magnitude that a codebook leaves; -1 without one.
    int64_t largest() const {
        const Book& book = layer_.book;
        return book.size ? std::max<int64_t>(book.zero, book.size - 1 - book.zero) : -1;
    }

    template <bool kDq, bool kBook>
    void values(BinEncoder& coder) {
        if (kBook && layer_.book.size == 1) return;
        BinEncoder bins = coder;  // a local one stays in registers
        unsigned state = 0, neighbour = 0;
        const size_t width = skipped_.empty() ? kBlock : layer_.width;
        for (size_t first = 0, row = 0; first < layer_.count; first += width, row++) {
            const size_t end = std::min(first + width, layer_.count);
            if (!skipped_.empty() && skipped_[row]) {
                if (kDq) {
                    for (size_t i = first; i < end; i++) state = kNextState[state][0];
                }
                continue;
            }
            for (size_t i = first; i < end; i++) {
                const int32_t value = kDq ? halved(levels_[i], state) : levels_[i];
                one<kBook>(bins, value, state, neighbour);
                neighbour = neighbour_of(value);
                if (kDq) state = kNextState[state][value & 1];
            }
            used(end);
        }
        coder = bins;
    }

    // The levels before `end` are coded.
    void used(size_t end) {
        if (!options_.consume || end - given_back_ < kBlock) return;
        give_back(levels_ + given_back_, (end - given_back_) * sizeof(int32_t));
        given_back_ = end;
    }

    // int_param(): sig_flag, sign_flag, abs_level_greater_x, abs_level_greater_x2, abs_remainder
    template <bool kBook>
    [[gnu::always_inline]] void one(BinEncoder& bins, int32_t value, unsigned state,
                                    unsigned neighbour) {
        Context* contexts = contexts_.data();
        bins.bin(contexts[ContextLayout::significant(state, neighbour)], value != 0);
        if (value == 0) return;
        const bool negative = value < 0;
        if (!kBook || uses_signs()) {
            bins.bin(contexts[ContextLayout::sign(neighbour)], negative);
        }
        if constexpr (kBook) {
            limited(bins, value);
        } else {
            unlimited(bins, value);
        }
    }

    [[gnu::always_inline]] void unlimited(BinEncoder& bins, int32_t value) {
        const uint32_t above = above_one(value);
        const unsigned flags = std::max(1u, layer_.flags);
        const unsigned ones = std::min(above, flags);
        Context* context = &contexts_[ContextLayout::greater(0, value < 0)];
        for (unsigned i = 0; i < ones; i++, context += 2) bins.bin(*context, 1);
        if (ones < flags) {
            bins.bin(*context, 0);
            return;
        }
        const uint32_t rest = above - flags + 1;
        const int order = std::bit_width(rest) - 1;
        context = &contexts_[layout_.remainder()];
        for (int i = 0; i < order; i++, context++) bins.bin(*context, 1);
        bins.bin(*context, 0);
        bins.bypass(rest - (1u << order), order);
    }

    // With a codebook, bins that its size makes certain are left out.
    [[gnu::always_inline]] void limited(BinEncoder& bins, int32_t value) {
        const Book& book = layer_.book;
        const int64_t most = value < 0 ? book.zero : int64_t(book.size) - book.zero - 1;
        if (most <= 1) return;
        const uint32_t above = above_one(value);
        unsigned flag = 0;
        bool more = true;
        while (more && (flag == 0 || (flag < layer_.flags && most > int64_t(flag) + 1))) {
            more = above > flag;
            bins.bin(contexts_[ContextLayout::greater(flag++, value < 0)], more);
        }
        if (more && most > int64_t(flag) + 1) remainder(bins, above - flag, most - flag - 1);
    }

    [[gnu::always_inline]] void remainder(BinEncoder& bins, int64_t value, int64_t most) {
        Context* context = &contexts_[layout_.remainder()];
        int64_t base = 0;
        int order = 0;
        while (most >= base + (int64_t(1) << order)) {
            const bool more = value > base + (int64_t(1) << order) - 1;
            bins.bin(*context++, more);
            if (!more) break;
            base += int64_t(1) << order++;
        }
        bins.bypass(uint32_t(value - base), order);
    }

    static constexpr size_t kBlock = 1 << 20;

    const int32_t* levels_;
    size_t given_back_ = 0;  // levels whose memory is
    const Layer layer_;
    const CodingOptions options_;
    const ContextLayout layout_;
    std::vector<Context> contexts_;
    std::vector<uint8_t> skipped_;  // by row; empty where row skipping is off
};

}  // namespace nnrd::NNRD_TARGET

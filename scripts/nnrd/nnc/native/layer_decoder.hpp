// Bins as the values of a tensor: the encoder's counterpart.
#pragma once

#include <algorithm>
#include <vector>

#include "bin_decoder.hpp"
#include "kernels.hpp"

namespace nnrd::NNRD_TARGET {

class LayerDecoder {
public:
    LayerDecoder(const uint8_t* data, size_t size, const Layer& layer)
        : bins_(data, size), layer_(layer), layout_{layer.flags}, contexts_(layout_.count()) {}

    // Fills `levels` and returns the qp, 0 where there is none.
    int32_t decode(int32_t* levels) {
        int32_t qp = 0;
        if (layer_.qp_bits) {
            const int unused = 32 - layer_.qp_bits;
            qp = int32_t(bins_.bypass(layer_.qp_bits) << unused) >> unused;
        }
        rows();
        shifts();
        if (layer_.dq) {
            layer_.book.size ? values<true, true>(levels) : values<true, false>(levels);
        } else {
            layer_.book.size ? values<false, true>(levels) : values<false, false>(levels);
        }
        bins_.finish();
        return qp;
    }

private:
    // row_skip_enabled_flag, row_skip_list
    void rows() {
        if (!layer_.has_rows() || !bins_.bypass(1)) return;
        skipped_.resize(layer_.count / layer_.width);
        for (auto& row : skipped_) row = uint8_t(bins_.bin(contexts_[layout_.row()]));
    }

    // shift_parameter_ids()
    void shifts() {
        const Book& book = layer_.book;
        const bool signs = book.size == 0 || (book.zero != 0 && book.zero != book.size - 1);
        for (unsigned i = 0; i < (layer_.dq ? 24u : 3u); i++) shift(i, book.size != 1);
        for (unsigned i = 0; i < 3; i++) shift(ContextLayout::sign(i), signs);
        const int64_t most =
            book.size ? std::max<int64_t>(book.zero, book.size - 1 - book.zero) : -1;
        for (unsigned i = 0; i < 2 * layer_.flags; i++) {
            shift(ContextLayout::kGreater + i, most < 0 || int64_t(i) < 2 * most);
        }
        int64_t reached = int64_t(layer_.flags) - 1;
        for (unsigned i = 0; i < ContextLayout::kClasses; i++) {
            reached += int64_t(1) << i;
            shift(layout_.remainder() + i, most < 0 || reached < most);
        }
    }

    // shift_idx_minus_1
    void shift(unsigned context, bool sent) {
        int chosen = 0;
        if (sent && bins_.bin(contexts_[layout_.shift()])) chosen = 1 + int(bins_.bypass(3));
        contexts_[context].start(chosen);
    }

    template <bool kDq, bool kBook>
    void values(int32_t* levels) {
        BinDecoder bins = bins_;  // a local one stays in registers
        unsigned state = 0, neighbour = 0;
        const size_t width = skipped_.empty() ? layer_.count : layer_.width;
        for (size_t first = 0, row = 0; first < layer_.count; first += width, row++) {
            if ((kBook && layer_.book.size == 1) || (!skipped_.empty() && skipped_[row])) {
                std::fill_n(levels + first, width, 0);
                if (kDq) {
                    for (size_t i = 0; i < width; i++) state = kNextState[state][0];
                }
                continue;
            }
            for (size_t i = first; i < first + width; i++) {
                const int32_t value = one<kBook>(bins, state, neighbour);
                levels[i] = kDq ? doubled(value, state) : value;
                neighbour = neighbour_of(value);
                if (kDq) state = kNextState[state][value & 1];
            }
        }
        bins_ = bins;
    }

    static int32_t doubled(int32_t value, unsigned state) {
        if (value == 0) return 0;
        const int32_t odd = int32_t(state & 1);
        return int32_t(2 * uint32_t(value) + uint32_t(value < 0 ? odd : -odd));
    }

    // int_param(). Damaged data can make more than 32 bits, of which the lowest stay.
    template <bool kBook>
    [[gnu::always_inline]] int32_t one(BinDecoder& bins, unsigned state,
                                       unsigned neighbour) {
        ReadContext* contexts = contexts_.data();
        if (!bins.bin(contexts[ContextLayout::significant(state, neighbour)])) return 0;
        if constexpr (kBook) {
            return limited(bins, neighbour);
        } else {
            const bool negative = bins.bin(contexts[ContextLayout::sign(neighbour)]);
            ReadContext* context = &contexts[ContextLayout::greater(0, negative)];
            uint32_t magnitude = 1;
            const uint32_t end = layer_.flags + 1;
            while (bins.bin(*context)) {
                context += 2;
                if (++magnitude == end) {
                    magnitude += remainder(bins);
                    break;
                }
            }
            return int32_t(negative ? 0u - magnitude : magnitude);
        }
    }

    [[gnu::always_inline]] uint32_t remainder(BinDecoder& bins) {
        ReadContext* context = &contexts_[layout_.remainder()];
        int order = 0;
        while (order < int(ContextLayout::kClasses) && bins.bin(*context++)) order++;
        return (1u << order) - 1 + bins.bypass(order);
    }

    [[gnu::always_inline]] int32_t limited(BinDecoder& bins, unsigned neighbour) {
        const Book& book = layer_.book;
        bool negative = book.zero != 0;
        if (book.zero != 0 && book.zero != book.size - 1) {
            negative = bins.bin(contexts_[ContextLayout::sign(neighbour)]);
        }
        const int64_t most = negative ? book.zero : int64_t(book.size) - book.zero - 1;
        int64_t magnitude = 1;
        bool more = most > 1;
        for (unsigned flag = 0; more && flag < layer_.flags && (flag == 0 || most > magnitude);
             flag++) {
            more = bins.bin(contexts_[ContextLayout::greater(flag, negative)]);
            magnitude += more;
        }
        if (more && most > magnitude) magnitude += limited_remainder(bins, most - magnitude);
        return int32_t(negative ? -magnitude : magnitude);
    }

    [[gnu::always_inline]] int64_t limited_remainder(BinDecoder& bins, int64_t most) {
        ReadContext* context = &contexts_[layout_.remainder()];
        int64_t base = 0;
        int order = 0;
        while (most >= base + (int64_t(1) << order) && bins.bin(*context)) {
            base += int64_t(1) << order++;
            context++;
        }
        return base + bins.bypass(order);
    }

    BinDecoder bins_;
    const Layer layer_;
    const ContextLayout layout_;
    std::vector<ReadContext> contexts_;
    std::vector<uint8_t> skipped_;  // by row; empty where row skipping is off
};

}  // namespace nnrd::NNRD_TARGET

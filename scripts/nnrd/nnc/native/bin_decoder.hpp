// The arithmetic decoder. It reads nothing outside its data, and ends where they are damaged.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "context.hpp"
#include "kernels.hpp"

namespace nnrd::NNRD_TARGET {

// A context that has its row of kRangeRows at hand: it is looked up when the counters move, so that
// the next bin need not wait for it.
struct ReadContext : Context {
    uint64_t row = kRangeRows[0];

    void start(int candidate) {
        Context::start(candidate);
        look_up();
    }
    [[gnu::always_inline]] void update(unsigned bin) {
        Context::update(bin);
        look_up();
    }

private:
    [[gnu::always_inline]] void look_up() { row = kRangeRows[size_t(std::abs(sum() >> 7))]; }
};

class BinDecoder {
public:
    BinDecoder(const uint8_t* data, size_t size) : data_(data), size_(size) {
        if (size < 2) throw Damaged();
        refill();
        if (value_ >> 55 >= range_) throw Damaged();  // nothing that an encoder writes
    }

    // The processor foresees which way a bin goes and works on before it has compared. Even where
    // it is wrong half of the time, as with signs, that is quicker than to wait each time.
    [[gnu::always_inline]] unsigned bin(ReadContext& context) {
        const int sum = context.sum();
        const uint32_t less = interval(context.row);
        const uint32_t more = range_ - less;
        unsigned bin = unsigned(sum >= 0);
        if (__builtin_expect(value_ >> 55 < more, 1)) {
            range_ = more < 256 ? more + more : more;
            shift(int(more >> 8 ^ 1));
        } else {
            const int count = std::countl_zero(less) - 23;
            value_ -= uint64_t(more) << 55;
            range_ = less << count;
            bin ^= 1;
            shift(count);
        }
        context.update(bin);
        return bin;
    }

    // Bins of equal probability, at most 32: the quotient of value and range.
    [[gnu::always_inline]] uint32_t bypass(int count) {
        if (count == 0) return 0;
        if (have_ < 9 + count) refill();
        const uint64_t unit = uint64_t(range_) << (55 - count);
        const uint64_t bins = value_ / unit;
        value_ = (value_ - bins * unit) << count;
        have_ -= count;
        if (have_ < 16) refill();
        return uint32_t(bins);
    }

    // Throws Damaged unless the terminating bin, the stop bit and the end of the data come here.
    void finish() {
        range_ -= 2;
        if (value_ < uint64_t(range_) << 55) throw Damaged();
        const size_t consumed = 8 * position_ - size_t(have_);
        if (consumed / 8 + 2 != size_) throw Damaged();
        if (uint8_t(data_[size_ - 1] << (consumed & 7)) != 0x80) throw Damaged();
    }

private:
    // The less probable bin's share of the range.
    [[gnu::always_inline]] uint32_t interval(uint64_t row) const {
        return uint32_t(row >> ((range_ >> 2) & 0x38)) & 0xff;
    }

    [[gnu::always_inline]] void shift(int count) {
        value_ <<= count;
        have_ -= count;
        if (__builtin_expect(have_ < 16, 0)) refill();
    }

    // Fills value_ from its highest bit down. It hands no address of its own on, so that a local
    // decoder can stay in registers.
    [[gnu::always_inline]] void refill() {
        if (__builtin_expect(position_ + 8 <= size_, 1)) {
            uint64_t word;
            std::memcpy(&word, data_ + position_, 8);
            if constexpr (std::endian::native == std::endian::little) {
                word = __builtin_bswap64(word);
            }
            value_ |= word >> have_;
            const int bytes = (63 - have_) >> 3;
            position_ += size_t(bytes);
            have_ += 8 * bytes;
            // The bits of an unfinished byte come again with the next word.
            value_ &= ~uint64_t(0) << (64 - have_);
            return;
        }
        const Rest rest = near_end(data_, size_, position_, have_);
        value_ |= rest.bits;
        position_ = rest.position;
        have_ = rest.have;
    }

    struct Rest {
        uint64_t bits;
        size_t position;
        int have;
    };

    // Behind the end of the data come zeros, for as long as no bin has used one.
    [[gnu::noinline]] static Rest near_end(const uint8_t* data, size_t size, size_t position,
                                           int have) {
        uint64_t bits = 0;
        while (have <= 48) {
            const uint64_t byte = position < size ? data[position] : 0;
            bits |= byte << (56 - have);
            have += 8;
            position++;
        }
        if ((8 * position - size_t(have)) / 8 + 2 > size) throw Damaged();
        return {bits, position, have};
    }

    const uint8_t* data_;
    size_t size_;
    size_t position_ = 0;  // of the next byte
    uint64_t value_ = 0;   // the interval's 9 bits, then have_ - 9 bits more
    int have_ = 0;
    uint32_t range_ = 510;
};

}  // namespace nnrd::NNRD_TARGET

// The arithmetic decoder. It reads nothing outside its data, and ends where they are damaged.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "context.hpp"
#include "kernels.hpp"

namespace nnrd::NNRD_TARGET {

class BinDecoder {
public:
    BinDecoder(const uint8_t* data, size_t size) : data_(data), size_(size) {
        if (size < 2) throw Damaged();
        refill();
        if (value_ >> 55 >= range_) throw Damaged();  // nothing that an encoder writes
    }

    [[gnu::always_inline]] unsigned bin(Context& context) {
        const int sum = context.sum();
        const uint64_t row = kRangeRows[size_t(std::abs(sum >> 7))];
        const uint32_t less = uint32_t(row >> ((range_ >> 2) & 0x38)) & 0xff;
        const uint32_t more = range_ - less;
        const uint64_t limit = uint64_t(more) << 55;
        const bool unlikely = value_ >= limit;
        value_ -= unlikely ? limit : 0;
        const uint32_t range = unlikely ? less : more;
        const unsigned bin = unsigned(sum >= 0) ^ unsigned(unlikely);
        const int shift = std::countl_zero(range) - 23;
        range_ = range << shift;
        value_ <<= shift;
        have_ -= shift;
        if (have_ < 16) refill();
        context.update(bin);
        return bin;
    }

    // Bins of equal probability, at most 32: the quotient of value and range.
    uint32_t bypass(int count) {
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
    // Fills value_ from its highest bit down; behind the end of the data come zeros.
    void refill() {
        if (position_ + 8 <= size_) {
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
        while (have_ <= 48) {
            const uint64_t byte = position_ < size_ ? data_[position_] : 0;
            value_ |= byte << (56 - have_);
            have_ += 8;
            position_++;
        }
        if ((8 * position_ - size_t(have_)) / 8 + 2 > size_) throw Damaged();
    }

    const uint8_t* data_;
    size_t size_;
    size_t position_ = 0;  // of the next byte
    uint64_t value_ = 0;   // the interval's 9 bits, then have_ - 9 bits more
    int have_ = 0;
    uint32_t range_ = 510;
};

}  // namespace nnrd::NNRD_TARGET

// The arithmetic encoder: an interval of 9 bits, carries resolved in the bytes written.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>

#include "bytes.hpp"
#include "context.hpp"

namespace nnrd::NNRD_TARGET {

class BinEncoder {
public:
    explicit BinEncoder(Bytes& bytes) : bytes_(&bytes) {}

    // One bin by its context; both parts of the interval are computed, without a branch.
    [[gnu::always_inline]] void bin(Context& context, unsigned bin) {
        const int sum = context.sum();
        const uint64_t row = kRangeRows[size_t(std::abs(sum >> 7))];
        const uint32_t less = uint32_t(row >> ((range_ >> 2) & 0x38)) & 0xff;
        const uint32_t more = range_ - less;
        const uint32_t unlikely = 0u - (bin ^ unsigned(sum >= 0));
        low_ += more & unlikely;
        const uint32_t range = more ^ ((more ^ less) & unlikely);
        const int shift = std::countl_zero(range) - 23;
        range_ = range << shift;
        low_ <<= shift;
        pending_ += shift;
        if (pending_ >= 32) write();
        context.update(bin);
    }

    // Bins of equal probability, at most 32, the first in the highest bit.
    [[gnu::always_inline]] void bypass(uint32_t bins, int count) {
        if (count > 16) {
            count -= 16;
            bypass16(bins >> count, 16);
            bins &= (1u << count) - 1;
        }
        bypass16(bins, count);
    }

    // The terminating bin, a stop bit, and zeros up to a byte.
    void finish() {
        range_ -= 2;
        low_ += range_;
        low_ <<= 7;
        pending_ += 7;
        if (pending_ >= 32) write();
        uint64_t rest = (low_ >> 8) << 1 | 1;
        int bits = pending_ + 2;
        rest <<= -bits & 7;
        bits += -bits & 7;
        if (rest >> bits) bytes_->carry();
        for (bits -= 8; bits >= 0; bits -= 8) bytes_->push8(uint8_t(rest >> bits));
    }

private:
    [[gnu::always_inline]] void bypass16(uint32_t bins, int count) {
        low_ = (low_ << count) + uint64_t(range_) * bins;
        pending_ += count;
        if (pending_ >= 32) write();
    }

    // low_ has 9 + pending_ bits and perhaps a carry above them. Only the bytes are handed on, so
    // that the rest of a local coder can stay in registers.
    [[gnu::always_inline]] void write() {
        const int keep = pending_ - 23;
        emit(*bytes_, low_ >> keep);
        low_ &= (uint64_t(1) << keep) - 1;
        pending_ -= 32;
    }

    [[gnu::noinline]] static void emit(Bytes& bytes, uint64_t top) {
        if (top >> 32) bytes.carry();
        bytes.push32(uint32_t(top));
    }

    uint64_t low_ = 0;
    uint32_t range_ = 510;
    int pending_ = 0;
    Bytes* bytes_;
};

}  // namespace nnrd::NNRD_TARGET

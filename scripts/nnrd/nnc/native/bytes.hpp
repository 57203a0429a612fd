#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace nnrd {

// Bytes that grow by realloc, which moves pages instead of copying them where they are many.
class Bytes {
public:
    Bytes() = default;
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;
    ~Bytes() { std::free(data_); }

    void push32(uint32_t word) {
        if (size_ + 4 > capacity_) grow();
        data_[size_] = uint8_t(word >> 24);
        data_[size_ + 1] = uint8_t(word >> 16);
        data_[size_ + 2] = uint8_t(word >> 8);
        data_[size_ + 3] = uint8_t(word);
        size_ += 4;
    }
    void push8(uint8_t byte) {
        if (size_ + 4 > capacity_) grow();
        data_[size_++] = byte;
    }
    // Adds 1 to what is written, as one number.
    void carry() {
        for (size_t i = size_; i > 0 && ++data_[i - 1] == 0; i--) {
        }
    }
    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }

private:
    void grow() {
        const size_t wanted = capacity_ + capacity_ / 4 + 1024;
        void* moved = std::realloc(data_, wanted);
        if (moved == nullptr) throw std::bad_alloc();
        data_ = static_cast<uint8_t*>(moved);
        capacity_ = wanted;
    }

    uint8_t* data_ = nullptr;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace nnrd

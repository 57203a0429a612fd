#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace nnrd {

// Memory that is used up: gives whole pages back to the system at once, and loses what is in them.
// Without it a large tensor's levels would stay beside its data, and its data beside their copy.
inline void give_back([[maybe_unused]] const void* from, [[maybe_unused]] size_t size) {
#ifdef __linux__
    static const uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE));
    const uintptr_t first = (uintptr_t(from) + page - 1) / page * page;
    const uintptr_t end = (uintptr_t(from) + size) / page * page;
    if (end > first) madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
#endif
}

// Bytes that grow by realloc, which moves pages instead of copying them where they are many.
class Bytes {
public:
    // `counts`: only their number is wanted, and what was written is dropped now and then.
    explicit Bytes(bool counts = false) : counts_(counts) {}
    Bytes(Bytes&& other) noexcept
        : counts_(other.counts_), data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)),
          dropped_(std::exchange(other.dropped_, 0)) {}
    Bytes& operator=(Bytes&&) = delete;
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
    uint8_t* data() { return data_; }
    const uint8_t* data() const { return data_; }
    size_t size() const { return dropped_ + size_; }

    // Copies them to a place of `size()` bytes, and holds none afterwards.
    void move_to(char* to) {
        for (size_t done = 0; done < size_; done += kBlock) {
            const size_t length = std::min(kBlock, size_ - done);
            std::memcpy(to + done, data_ + done, length);
            if (size_ > kBlock) give_back(data_ + done, length);
        }
        std::free(std::exchange(data_, nullptr));
        size_ = capacity_ = 0;
    }

private:
    static constexpr size_t kBlock = 1 << 22;

    void grow() {
        if (counts_ && size_ >= 4096) {
            dropped_ += std::exchange(size_, 0);
            return;
        }
        const size_t wanted = capacity_ + capacity_ / 4 + 1024;
        void* moved = std::realloc(data_, wanted);
        if (moved == nullptr) throw std::bad_alloc();
        data_ = static_cast<uint8_t*>(moved);
        capacity_ = wanted;
    }

    bool counts_;
    uint8_t* data_ = nullptr;
    size_t size_ = 0, capacity_ = 0, dropped_ = 0;
};

}  // namespace nnrd

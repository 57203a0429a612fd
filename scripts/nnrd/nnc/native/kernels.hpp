// Names of syntax elements, as in "sig_flag", are those of ISO/IEC 15938-17. No clauses are cited: the
// coder was written from what NNCodec 2.1.3 does, without the standard's text. What the standard
// leaves to an encoder (quantisation, the trial, its costs) is done as NNCodec does it, to the bit.
//
// What the coder offers, compiled once for any processor and once for x86-64-v3: both give the
// same bytes. Tensors are rows of `width` values; `width` is 1 where there is one dimension.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "bytes.hpp"

namespace nnrd {

// The data are not what an encoder writes.
struct Damaged : std::runtime_error {
    Damaged() : std::runtime_error("the data are damaged") {}
};

struct Book {
    uint32_t size = 0;  // 0: no codebook
    uint32_t zero = 0;  // index of the entry that stands for 0
};

struct Layer {
    size_t count = 0, width = 1;
    unsigned flags = 11;  // cabac_unary_length_minus1 + 1
    bool dq = false;      // dependent quantisation
    int qp_bits = 0;      // 0 for integers, whose data begin without a qp
    int32_t qp = 0;
    Book book;

    // Whether the data say which rows are skipped.
    bool has_rows() const { return width > 1 && count > width && book.size != 1; }
};

struct CodingOptions {
    bool param_opt = true;
    bool row_skipping = false;
    bool plain = false;  // as general profile 0 codes it: no rows, no limits by a codebook
    bool consume = false;  // the levels' memory is given back as they are coded
    std::span<const uint8_t> initial = {};  // what `choose` found; empty: param_opt says
};

// A part of the contexts, so that several threads may choose for one tensor.
struct Share {
    unsigned index = 0, count = 1;
};

struct Quantiser {
    float step = 1;
    double lambda = 0;        // weight of the rate
    unsigned flags = 10;      // of the contexts whose rate is estimated
    bool dq = false;
};

struct Kernels {
    const char* name;

    // The initial state of each context of a share, 0 for the others: param_opt.
    std::vector<uint8_t> (*choose)(const int32_t* levels, const Layer&, const CodingOptions&, Share);

    // Appends the data of a unit. With options.consume the levels are lost. Throws
    // std::invalid_argument for initial states that are none of these contexts'.
    void (*encode)(const int32_t* levels, const Layer&, const CodingOptions&, Bytes& out);

    // Fills `levels` and sets layer.qp. Throws Damaged unless the data end where they should.
    void (*decode)(const uint8_t* data, size_t size, Layer&, int32_t* levels);

    // Fills `levels`; false where one would not fit 32 bits.
    bool (*quantise)(const float* values, size_t count, const Quantiser&, int32_t* levels);
};

extern const Kernels portable_kernels;
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define NNRD_HAS_V3 1
extern const Kernels v3_kernels;
#endif

// Those that suit this processor.
const Kernels& kernels();

}  // namespace nnrd

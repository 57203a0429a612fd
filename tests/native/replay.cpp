// NNCodec's levels and data against the native coder, where that is compiled by another compiler or
// for another processor (tests/unit/nnc/test_compilers.py writes the file and runs this).
//
//     replay FILE
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../../scripts/nnrd/nnc/native/kernels.hpp"

namespace {

// All little-endian, as are the processors that this runs on.
struct Case {
    uint64_t count, width;
    double lambda;
    float step;
    int32_t qp;
    uint32_t flags, qp_bits, dq, param_opt, row_skipping, book_size, book_zero, has_values, bytes, unused;
};

template <class T>
std::vector<T> read(std::FILE* file, size_t count) {
    std::vector<T> items(count);
    if (count && std::fread(items.data(), sizeof(T), count, file) != count) {
        std::fprintf(stderr, "replay: the file ends early\n");
        std::exit(2);
    }
    return items;
}

// Which step of a case differs, nullptr if none does.
const char* difference(const nnrd::Kernels& kernels, const Case& is, const std::vector<float>& values,
                       const std::vector<int32_t>& levels, const std::vector<uint8_t>& data) {
    nnrd::Layer layer;
    layer.count = is.count;
    layer.width = is.width;
    layer.flags = is.flags;
    layer.dq = is.dq;
    layer.qp_bits = int(is.qp_bits);
    layer.qp = is.qp;
    layer.book = {is.book_size, is.book_zero};
    std::vector<int32_t> found(is.count);
    if (is.has_values) {
        const nnrd::Quantiser how{is.step, is.lambda, is.flags - 1, is.dq != 0};
        if (!kernels.quantise(values.data(), is.count, how, found.data())) return "fitting";
        if (found != levels) return "levels";
    }
    nnrd::Bytes out;
    const nnrd::CodingOptions options{is.param_opt != 0, is.row_skipping != 0, false, false};
    kernels.encode(levels.data(), layer, options, out);
    if (out.size() != data.size() || std::memcmp(out.data(), data.data(), data.size())) return "data";
    kernels.decode(data.data(), data.size(), layer, found.data());
    return found != levels ? "decoded levels" : layer.qp_bits && layer.qp != is.qp ? "qp" : nullptr;
}

}  // namespace

int main(int count, char** arguments) {
    std::FILE* file = count == 2 ? std::fopen(arguments[1], "rb") : nullptr;
    if (!file) return 2;
    int done = 0;
    Case is;
    while (std::fread(&is, sizeof is, 1, file) == 1) {
        const auto values = read<float>(file, is.has_values ? is.count : 0);
        const auto levels = read<int32_t>(file, is.count);
        const auto data = read<uint8_t>(file, is.bytes);
        for (const auto* kernels : {&nnrd::kernels(), &nnrd::portable_kernels}) {
            if (const char* what = difference(*kernels, is, values, levels, data)) {
                std::printf("case %d, %s: %s differ\n", done, kernels->name, what);
                return 1;
            }
        }
        done++;
    }
    std::fclose(file);
    std::printf("%d cases equal (%s and portable)\n", done, nnrd::kernels().name);
    return 0;
}

// Damaged data through the native NNC coder, under sanitizers (make fuzz-native).
//
// Each round makes a tensor, quantises and codes it by the kernels for any processor and by those
// for this one, which must agree, and decodes it again. Then it decodes mutated data: these give
// levels or are refused as damaged, and touch no memory that is not theirs.
//
//     fuzz COUNT [SEED]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "../../scripts/nnrd/nnc/native/kernels.hpp"

namespace {

using nnrd::Bytes;
using nnrd::Layer;
using Random = std::mt19937_64;
using Data = std::vector<uint8_t>;

size_t below(Random& random, size_t end) { return random() % end; }

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
}

struct Case {
    Layer layer;
    nnrd::CodingOptions options;
    std::vector<int32_t> levels;
    Data data;
};

std::vector<float> some_values(Random& random, size_t count) {
    std::vector<float> values(count);
    std::normal_distribution<double> normal;
    const double scale = std::pow(10.0, double(below(random, 9)) - 4);
    const size_t kind = below(random, 4);
    for (auto& value : values) {
        value = float(normal(random) * scale);
        if (kind == 1 && below(random, 4)) value = 0;
        if (kind == 2) value = std::round(value) / 2;
        if (kind == 3 && !below(random, 50)) value *= 1e6f;
    }
    return values;
}

std::vector<int32_t> some_levels(Random& random, const Layer& layer) {
    std::vector<int32_t> levels(layer.count);
    nnrd::Quantiser how;
    how.step = float(std::pow(2.0, double(below(random, 24)) - 16));
    how.lambda = below(random, 4) ? 0.0 : 1.5;
    how.flags = layer.flags - 1;
    how.dq = layer.dq;
    const auto values = some_values(random, layer.count);
    std::vector<int32_t> again(layer.count);
    const nnrd::Kernels& kernels = nnrd::kernels();
    const bool fits = kernels.quantise(values.data(), layer.count, how, levels.data());
    require(fits == nnrd::portable_kernels.quantise(values.data(), layer.count, how, again.data()),
            "one kind of kernel refuses values that the other quantises");
    if (!fits) std::fill(levels.begin(), levels.end(), 0);
    require(!fits || levels == again, "the kernels' levels differ");
    return levels;
}

Data coded(const nnrd::Kernels& kernels, const Case& of) {
    Bytes out;
    kernels.encode(of.levels.data(), of.layer, of.options, out);
    return Data(out.data(), out.data() + out.size());
}

// The initial states that several shares choose are those that one chooses.
void require_shares(const Case& of) {
    if (!of.options.param_opt) return;
    const nnrd::Kernels& kernels = nnrd::kernels();
    std::vector<uint8_t> initial;
    for (unsigned i = 0; i < 3; i++) {
        const auto part = kernels.choose(of.levels.data(), of.layer, of.options, {i, 3});
        initial.resize(part.size());
        for (size_t k = 0; k < part.size(); k++) initial[k] |= part[k];
    }
    Case again = of;
    again.options.param_opt = false;
    again.options.initial = initial;
    require(coded(kernels, again) == of.data, "shares choose other initial states");
}

Case some_case(Random& random) {
    Case made;
    Layer& layer = made.layer;
    layer.width = 1 + below(random, 12);
    layer.count = layer.width * (1 + below(random, below(random, 8) ? 40 : 900));
    layer.flags = 1 + unsigned(below(random, below(random, 3) ? 12 : 256));
    layer.dq = below(random, 2);
    layer.qp_bits = int(below(random, 3) ? 6 + below(random, 8) : 0);
    layer.qp = int32_t(below(random, 64)) - 32;
    made.options = {below(random, 2) == 0, below(random, 2) == 0};
    made.levels = some_levels(random, layer);
    if (!layer.dq && !below(random, 3)) {
        layer.book.size = 1 + uint32_t(below(random, 70));
        layer.book.zero = uint32_t(below(random, layer.book.size));
        const int32_t low = -int32_t(layer.book.zero), high = low + int32_t(layer.book.size) - 1;
        for (auto& level : made.levels) level = std::clamp(level, low, high);
    }
    made.data = coded(nnrd::kernels(), made);
    require(made.data == coded(nnrd::portable_kernels, made), "the kernels' data differ");
    require_shares(made);
    return made;
}

bool decodes(const nnrd::Kernels& kernels, const Data& data, Layer layer,
             std::vector<int32_t>& levels) {
    // Exactly as much memory as there is data, so that a byte too far is seen.
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[data.size()]);
    if (!data.empty()) std::memcpy(exact.get(), data.data(), data.size());
    levels.assign(layer.count, 77);
    levels.shrink_to_fit();
    try {
        kernels.decode(exact.get(), data.size(), layer, levels.data());
        return true;
    } catch (const nnrd::Damaged&) {
        return false;
    }
}

void mutate(Random& random, Data& data, Layer& layer) {
    for (size_t times = 1 + below(random, 3); times; times--) {
        const size_t at = below(random, data.size() + 1);
        switch (below(random, 8)) {
            case 0:
            case 1: if (at < data.size()) data[at] ^= uint8_t(1u << below(random, 8)); break;
            case 2: if (at < data.size()) data[at] = uint8_t(random()); break;
            case 3: data.resize(at); break;
            case 4: data.insert(data.begin() + long(at), uint8_t(random())); break;
            case 5: std::fill(data.begin() + long(at), data.end(), below(random, 2) ? 0xff : 0); break;
            case 6: layer.count = layer.width * (1 + below(random, 3000)); break;
            default:
                layer.flags = 1 + unsigned(below(random, 256));
                layer.book.size = uint32_t(below(random, 3) ? below(random, 1 << 20) : 0);
                layer.book.zero = layer.book.size ? uint32_t(below(random, layer.book.size)) : 0;
                layer.dq = below(random, 2);
        }
    }
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
    const long wanted = count_of_arguments > 1 ? std::atol(arguments[1]) : 100000;
    Random random(count_of_arguments > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
    long refused = 0, decoded = 0, cases = 0;
    std::vector<int32_t> levels, again;
    while (refused + decoded < wanted) {
        const Case made = some_case(random);
        cases++;
        require(decodes(nnrd::kernels(), made.data, made.layer, levels), "good data are refused");
        require(levels == made.levels, "decoded levels differ");
        for (int i = 0; i < 40 && refused + decoded < wanted; i++) {
            Data data = made.data;
            Layer layer = made.layer;
            mutate(random, data, layer);
            const bool whole = decodes(nnrd::kernels(), data, layer, levels);
            (whole ? decoded : refused)++;
            require(whole == decodes(nnrd::portable_kernels, data, layer, again) &&
                        (!whole || levels == again),
                    "the kernels decode differently");
        }
    }
    std::printf("%ld tensors, %ld mutations: %ld refused, %ld decoded (%s and portable)\n", cases,
                wanted, refused, decoded, nnrd::kernels().name);
    return 0;
}

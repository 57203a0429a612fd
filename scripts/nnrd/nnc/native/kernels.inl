// The coder for one kind of processor, in the namespace NNRD_TARGET.
#include "layer_decoder.hpp"
#include "layer_encoder.hpp"
#include "trellis.hpp"
#include "uniform.hpp"

namespace nnrd::NNRD_TARGET {

inline std::vector<uint8_t> choose(const int32_t* levels, const Layer& layer,
                                   const CodingOptions& options, Share share) {
    return LayerEncoder(levels, layer, options).choose(share);
}

inline void encode(const int32_t* levels, const Layer& layer, const CodingOptions& options,
                   Bytes& out) {
    LayerEncoder(levels, layer, options).encode(out);
}

inline void decode(const uint8_t* data, size_t size, Layer& layer, int32_t* levels) {
    layer.qp = LayerDecoder(data, size, layer).decode(levels);
}

inline bool quantise(const float* values, size_t count, const Quantiser& how, int32_t* levels) {
    if (how.dq) return Trellis(values, count, how, levels).run();
    if (how.lambda > 0) return weighed_levels(values, count, how, levels);
    return nearest_levels(values, count, how.step, levels);
}

}  // namespace nnrd::NNRD_TARGET

// Uniform quantisation: the nearest level, or a smaller one where the rate is weighed.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels.hpp"
#include "rate.hpp"

namespace nnrd::NNRD_TARGET {

// Rounded in single precision, halves away from zero.
inline bool nearest_levels(const float* values, size_t count, float step, int32_t* levels) {
    const float inverse = 1.0f / step;
    float least = 0, greatest = 0;
    for (size_t i = 0; i < count; i++) {
        const float scaled = inverse * values[i];
        least = std::min(least, scaled);
        greatest = std::max(greatest, scaled);
    }
    if (!(greatest < 2147483648.0f && least >= -2147483648.0f)) return false;
    for (size_t i = 0; i < count; i++) levels[i] = int32_t(std::round(inverse * values[i]));
    return true;
}

// Squared distances weigh 2^15 / lambda against the rate of the levels chosen so far.
inline bool weighed_levels(const float* values, size_t count, const Quantiser& how,
                           int32_t* levels) {
    const double weight = double(1 << 15) / (how.lambda * (std::log(2.) / 6.));
    const double inverse = 1.0 / double(how.step);
    StateRate rate(0, how.flags);
    for (size_t i = 0; i < count; i++) {
        const double rounded = std::round(double(values[i]) * inverse);
        if (!(rounded <= 2147483647.0 && rounded >= -2147483648.0)) return false;
        const bool negative = values[i] < 0;
        const double magnitude = std::fabs(double(values[i])) * inverse;
        const double nearest = std::round(magnitude);
        const int32_t last = nearest < 2147483648.0 ? int32_t(nearest) : INT32_MIN;
        int32_t best = 0;
        double least = weight * (magnitude * magnitude) + rate.bits(0);
        for (int32_t level = std::max(1, int32_t(uint32_t(last) - 1u)); level <= last; level++) {
            const double difference = magnitude - double(level);
            const double cost = weight * (difference * difference) + rate.bits(level);
            if (cost < least) {
                best = level;
                least = cost;
            }
            if (level == INT32_MAX) break;
        }
        levels[i] = negative ? -best : best;
        rate.update(levels[i]);
    }
    return true;
}

}  // namespace nnrd::NNRD_TARGET

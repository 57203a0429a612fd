// The Python module nnrd.nnc._native. Nothing here knows options or streams: one tensor's values,
// levels and data. The interpreter's lock is given back while the coder runs, and the coder
// touches no Python object.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "kernels.hpp"

namespace py = pybind11;

namespace {

using nnrd::Book;
using nnrd::Bytes;
using nnrd::Layer;
template <class T>
using Array = py::array_t<T, py::array::c_style>;

const nnrd::Kernels* selected = &nnrd::kernels();

Layer layer_of(const py::array& levels, unsigned flags, bool dq, int qp_bits, int qp,
               std::pair<uint32_t, uint32_t> book) {
    if (levels.ndim() < 1 || levels.size() < 1) throw py::value_error("a tensor has no values");
    if (qp_bits < 0 || qp_bits > 16 || flags > 256) throw py::value_error("out of range");
    if (book.first && book.second >= book.first) throw py::value_error("out of the codebook");
    Layer layer;
    layer.count = size_t(levels.size());
    layer.width = layer.count / size_t(levels.shape(0));
    layer.flags = flags;
    layer.dq = dq;
    layer.qp_bits = qp_bits;
    layer.qp = qp;
    layer.book = Book{book.first, book.second};
    return layer;
}

void coded(const Array<int32_t>& levels, const Layer& layer, const nnrd::CodingOptions& options,
           Bytes& out) {
    const int32_t* data = levels.data();
    py::gil_scoped_release release;
    selected->encode(data, layer, options, out);
}

Array<uint8_t> choose(const Array<int32_t>& levels, bool dq, unsigned flags, bool row_skipping,
                      std::pair<uint32_t, uint32_t> book, unsigned share, unsigned shares) {
    const Layer layer = layer_of(levels, flags, dq, 0, 0, book);
    if (flags == 0) throw py::value_error("no flags");
    if (share >= shares) throw py::value_error("no such share");
    std::vector<uint8_t> states;
    {
        const int32_t* data = levels.data();
        py::gil_scoped_release release;
        states = selected->choose(data, layer, {true, row_skipping}, {share, shares});
    }
    return Array<uint8_t>(py::ssize_t(states.size()), states.data());
}

Bytes encode(const Array<int32_t>& levels, bool dq, unsigned flags, int qp_bits, int qp,
             bool row_skipping, std::pair<uint32_t, uint32_t> book, bool consume,
             const Array<uint8_t>& initial) {
    const Layer layer = layer_of(levels, flags, dq, qp_bits, qp, book);
    if (flags == 0) throw py::value_error("no flags");
    Bytes out;
    const std::span<const uint8_t> states(initial.data(), size_t(initial.size()));
    coded(levels, layer, {false, row_skipping, false, consume, states}, out);
    return out;
}

size_t encoded_size(const Array<int32_t>& levels, bool dq, unsigned flags, bool param_opt,
                    bool plain) {
    const Layer layer = layer_of(levels, flags, dq, 0, 0, {0, 0});
    Bytes out(true);
    coded(levels, layer, {param_opt, false, plain}, out);
    return out.size();
}

int decode(const Array<uint8_t>& data, Array<int32_t>& levels, bool dq, unsigned flags,
           int qp_bits, std::pair<uint32_t, uint32_t> book) {
    Layer layer = layer_of(levels, flags, dq, qp_bits, 0, book);
    if (flags == 0) throw py::value_error("no flags");
    const uint8_t* first = data.data();
    const size_t size = size_t(data.size());
    int32_t* out = levels.mutable_data();
    py::gil_scoped_release release;
    selected->decode(first, size, layer, out);
    return layer.qp;
}

float step_of(int qp, int density) {
    const int steps = 1 << density;
    return float((steps + (qp & (steps - 1))) * std::pow(2.0, (qp >> density) - density));
}

// The least qp whose levels fit 32 bits, as the reference reckons it.
int fitting_qp(const float* values, size_t count, int density) {
    float largest = 0;
    for (size_t i = 0; i < count; i++) largest = std::max(largest, std::fabs(values[i]));
    const int steps = 1 << density;
    const double least = double(largest) / double((1u << 31) - 3);
    const float base = float(std::floor(std::log2(least)) * steps);
    const float qp = float(base + ((least * steps) / std::pow(2.0, base / float(steps)) - steps));
    return int(std::ceil(qp));
}

int quantise(const Array<float>& values, Array<int32_t>& levels, bool dq, int density, int qp,
             float lambda, unsigned flags) {
    if (values.size() != levels.size()) throw py::value_error("sizes differ");
    if (density < 0 || density > 7 || flags > 255) throw py::value_error("out of range");
    const size_t count = size_t(values.size());
    const float* from = values.data();
    int32_t* to = levels.mutable_data();
    py::gil_scoped_release release;
    nnrd::Quantiser how{step_of(qp, density), double(lambda), flags, dq};
    if (selected->quantise(from, count, how, to)) return qp;
    qp = fitting_qp(from, count, density);
    how.step = step_of(qp, density);
    if (selected->quantise(from, count, how, to)) return qp;
    throw std::runtime_error("levels do not fit 32 bits");
}

// `out` may be the memory of `levels`.
void dequantise(const Array<int32_t>& levels, Array<float>& out, int density, int qp) {
    if (levels.size() != out.size()) throw py::value_error("sizes differ");
    const float step = step_of(qp, density);
    const size_t count = size_t(levels.size());
    const char* from = reinterpret_cast<const char*>(levels.data());
    char* to = reinterpret_cast<char*>(out.mutable_data());
    py::gil_scoped_release release;
    for (size_t i = 0; i < 4 * count; i += 4) {
        int32_t level;
        std::memcpy(&level, from + i, 4);
        const float value = step * float(level);
        std::memcpy(to + i, &value, 4);
    }
}

// The pieces, bytes or data, in one; each is given up while it is copied. Empties the list.
py::bytes join(py::list pieces) {
    size_t size = 0;
    for (const auto& piece : pieces) size += py::len(piece);
    auto joined = py::reinterpret_steal<py::bytes>(
        PyBytes_FromStringAndSize(nullptr, Py_ssize_t(size)));
    if (!joined) throw py::error_already_set();
    char* to = PyBytes_AS_STRING(joined.ptr());
    for (size_t i = 0; i < pieces.size(); i++) {
        const py::object piece = pieces[i];
        const size_t length = py::len(piece);
        if (py::isinstance<Bytes>(piece)) {
            piece.cast<Bytes&>().move_to(to);
        } else {
            const std::string_view bytes = py::reinterpret_borrow<py::bytes>(piece);
            std::memcpy(to, bytes.data(), length);
        }
        to += length;
        pieces[i] = py::none();
    }
    pieces.attr("clear")();
    return joined;
}

bool use_kernels(const std::string& name) {
    if (name == nnrd::portable_kernels.name) {
        selected = &nnrd::portable_kernels;
    } else {
        selected = &nnrd::kernels();
    }
    return selected->name == name;
}

}  // namespace

PYBIND11_MODULE(_native, m) {
    m.doc() = "The arithmetic coder and the quantisers of ISO/IEC 15938-17.";
    static py::exception<nnrd::Damaged> damaged(m, "Damaged", PyExc_ValueError);
    py::register_exception_translator([](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const nnrd::Damaged& e) {
            PyErr_SetString(damaged.ptr(), e.what());
        }
    });
    using namespace py::literals;
    py::class_<Bytes>(m, "Data", py::buffer_protocol(), "The data of a unit, until they are joined.")
        .def("__len__", &Bytes::size)
        .def_buffer([](Bytes& data) { return py::buffer_info(data.data(), ssize_t(data.size())); });
    m.def("choose", &choose, "levels"_a, "dq"_a, "flags"_a, "row_skipping"_a, "book"_a,
          "share"_a = 0, "shares"_a = 1);
    m.def("encode", &encode, "levels"_a, "dq"_a, "flags"_a, "qp_bits"_a, "qp"_a, "row_skipping"_a,
          "book"_a, "consume"_a, "initial"_a);
    m.def("encoded_size", &encoded_size, "levels"_a, "dq"_a, "flags"_a, "param_opt"_a, "plain"_a);
    m.def("decode", &decode, "data"_a, "levels"_a.noconvert(), "dq"_a, "flags"_a, "qp_bits"_a,
          "book"_a);
    m.def("quantise", &quantise, "values"_a, "levels"_a.noconvert(), "dq"_a, "density"_a, "qp"_a,
          "lambda_scale"_a, "flags"_a);
    m.def("dequantise", &dequantise, "levels"_a, "out"_a.noconvert(), "density"_a, "qp"_a);
    m.def("join", &join, "pieces"_a);
    m.def("kernels", [] { return selected->name; }, "What the coder is compiled for.");
    m.def("select", &use_kernels, "name"_a, "Use the kernels of a name, for tests.");
}

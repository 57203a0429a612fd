"""NNCodec driven directly."""


def encode(
    tensors,
    qp=-38,
    qp_density=2,
    nonweight_qp=-75,
    use_dq=True,
    opt_qp=False,
    cabac_unary_length_minus1=10,
    param_opt=True,
    row_skipping=False,
    qp_per_tensor=None,
    codebook_mode=0,
    lambda_scale=0,
    workers=1,
):
    """Return the stream of nncodec.nnc.compress."""
    from nncodec.nnc_core import approximator, coder, nnr_model

    model = nnr_model.NNRModel(tensors)
    data = approximator.init_approx_data(
        tensors, model.model_info, qp_density=qp_density, scan_order=0
    )
    method = "codebook" if codebook_mode else "uniform"
    info = approximator.ApproxInfo(
        data,
        model.model_info,
        method,
        codebook_mode,
        qp,
        opt_qp,
        not use_dq,
        cabac_unary_length_minus1,
        lambda_scale,
        nonweight_qp=nonweight_qp,
        qp_per_tensor=qp_per_tensor,
    )
    enc = {
        "cabac_unary_length_minus1": cabac_unary_length_minus1,
        "param_opt_flag": param_opt,
        "partial_data_counter": 0,
        "general_profile_idc": 1,
        "node_id_present_flag": 1,
        "device_id": 0,
        "mps_parent_signalling_enabled_flag": 0,
        "parent_node_id_present_flag": 0,
        "temporal_context_modeling_flag": 0,
        "row_skip_enabled_flag": int(row_skipping),
        "pre_signalling": 0,
    }
    quantised = approximator.approx(info.approx_info, model.model_info, data, enc)
    return bytes(coder.encode(enc, model.model_info, quantised)[0])


def decode(blob, workers=1):
    """Return the tensors of a stream."""
    from nncodec.nnc_core import approximator, coder

    keys = ("parameter_type", "parameter_dimensions", "parameter_index", "block_identifier")
    flags = [
        f"{a}_{b}"
        for a in ("mps", "lps")
        for b in (
            "sparsification_flag",
            "pruning_flag",
            "unification_flag",
            "decomposition_performance_map_flag",
        )
    ]
    info = {key: {} for key in keys} | {
        "performance_maps": {"mps": {}, "lps": {}},
        "performance_map_flags": {flag: {} for flag in flags},
    }
    data = coder.decode(bytearray(blob), info)
    approximator.rec(data)
    return approximator.recompose_params(info, data)["parameters"]

"""Post-training quantisation to INT8 with a data loader, a metric and an engine of the user's.

The words are those of Intel's Post-training Optimization Toolkit (POT): `interface`. What quantises
are ONNX Runtime and NNCF (`backends`), as `settings` says; `process` records, quantises, evaluates.
"""

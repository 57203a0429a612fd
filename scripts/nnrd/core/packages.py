"""The packages whose versions can change a result."""

# By the names that are imported. Others, such as those that draw plots, change no number.
RESULT_PACKAGES = frozenset(
    {
        *("numpy", "scipy", "ml_dtypes", "safetensors", "nncodec", "zstandard"),
        *("onnx", "onnxruntime", "torch", "torchaudio", "torchvision"),
        *("transformers", "tokenizers", "cv2", "PIL", "soundfile"),
        *("faster_coco_eval", "pycocotools", "jiwer"),
    }
)

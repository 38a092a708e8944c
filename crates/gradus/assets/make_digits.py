"""Writes scikit-learn's digits set as the two IDX files beside this script.

    pip install scikit-learn==1.9.1
    python make_digits.py

Running it again gives the same bytes: the gzip header holds neither a time nor a name.
"""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

UNSIGNED_BYTE = 0x08


def idx(array: np.ndarray) -> bytes:
    """`array` of uint8 in the IDX format: magic, sizes as big-endian u32, data in C order."""
    magic = bytes([0, 0, UNSIGNED_BYTE, array.ndim])
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


digits = load_digits()
for name, array in {
    "digits-images-idx3-ubyte.gz": digits.images,
    "digits-labels-idx1-ubyte.gz": digits.target,
}.items():
    exact = array.astype(np.uint8)
    assert (exact == array).all(), f"{name}: the values are not whole bytes"
    packed = gzip.compress(idx(exact), compresslevel=9, mtime=0)
    Path(__file__).with_name(name).write_bytes(packed)
    print(hashlib.sha256(packed).hexdigest(), name)

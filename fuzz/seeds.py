"""Makes the first inputs for the fuzz targets in corpus/: python3 seeds.py

The tables are written here; the arrays are those that NumPy wrote for the tests; the safetensors files are made here.
"""

import json
import pathlib
import shutil
import struct

here = pathlib.Path(__file__).parent
fixtures = here.parent / "crates" / "gradus-core" / "tests" / "fixtures"

for target in ["npy", "npz"]:
    shutil.copytree(fixtures / target, here / "corpus" / target, dirs_exist_ok=True)

folder = here / "corpus" / "safetensors"
folder.mkdir(parents=True, exist_ok=True)
for dtype, size in [("BOOL", 1), ("U8", 1), ("I32", 4), ("I64", 8), ("F32", 4), ("F64", 8), ("F16", 2)]:
    header = {
        "__metadata__": {"gradus": "note"},
        "w": {"dtype": dtype, "shape": [2, 3], "data_offsets": [0, 6 * size]},
        "b": {"dtype": dtype, "shape": [], "data_offsets": [6 * size, 7 * size]},
        "none": {"dtype": dtype, "shape": [0, 3], "data_offsets": [7 * size, 7 * size]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + bytes([1]) * (7 * size)
    (folder / dtype.lower()).write_bytes(content)

folder = here / "corpus" / "csv"
folder.mkdir(parents=True, exist_ok=True)
for name, content in {
    "plain": b"a,b\n1,x\n2,NA\n",
    "quoted": b'"a;b";c\r\n"1\r\n2";"x ""y"""\r\n',
    "marked": b"\xef\xbb\xbf1\t2\n\n3\t4",
    "names": b"a,a,a.1,\n1,2,3,4\n",
}.items():
    (folder / name).write_bytes(content)

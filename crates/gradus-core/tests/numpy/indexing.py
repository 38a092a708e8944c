"""Writes indexing.txt: what NumPy makes of indexing expressions.

    python indexing.py > indexing.txt

A line is `shape | expression | result shape | values` for reading, and
`shape | expression = value shape | values` for writing. The array counts from 0, the value from 100.
An integer beside lists stands where it does not matter that NumPy takes it for a list as well.
"""

import numpy as np

READ = {
    (5,): """0; -1; 1:3; :-2; -3:; ::2; ::-1; 4:1:-2; -1:-9:-3; 3:1; 9:; ...; None; [0, 2, 0]; [-1, -5];
        [[0, 1], [2, 3]]; [True, False, True, True, False]; True; False; None, ::2, None; ..., 0""",
    (3, 4): """1; :, 1; 1, 2; -1, ::-1; ::2, 1:; [2, 0]; :, [3, 3, 0]; [0, 2], [1, 3]; [[0], [2]], [1, 3];
        1:, [0, 0]; [2, 1], 1:3; [1, 0], None; None, [1, 0]; ..., [0], None; 1, [0, 2]; [0, 2], 1;
        [[True, False, True, False], [False, True, False, False], [True, True, False, True]];
        [False, True, True], 1:; :, [True, False, False, True]; [True, False, True], [True, False, True, False];
        [True, True, False], [0]; [False, False, False]; True, [0, 1]; [0, 1], None, [2, 3]; ::-1, ::-2""",
    (2, 3, 4): """1, ..., -1; 0, 1, 2; :, 1; ..., None, 2; [1, 0], :, [0, 3]; :, [0, 2], [1, 1];
        [[1], [0]], [0, 2]; :, [[0, 1], [2, 0]]; [[0, 1], [1, 0]], ..., [3, 2]; [1], [2], [3]; 1:, [2, 0], ::2;
        [True, False], :, [0, 1]; [[True, False, True], [False, True, False]];
        [[True, False, True], [False, True, False]], 1:3; :, [True, False, True], [0, 3];
        1, [[True, False, True, False], [True, True, False, False], [False, True, False, True]];
        :, None, [0, 1]; [0, 1], None, [0, 1], None; ..., [0, 1], [1]; None, [1], None; :, True, [0, 1]""",
    (2, 3, 2, 3): """:, [0, 1], [1, 0]; :, [0, 2], :, [1, 2]; [0, 1], :, :, [2, 0]; 1, [0, 1], [0, 0], 2;
        ..., [0, 1], [0, 2]; :, [[True, False], [False, True], [True, True]]; [1, 0], ::-2, [1], ::2""",
    (0, 3): """:, 1; :, [True, False, True]; 1:; ..., [0, 0]""",
    (): """...; None; True; False; None, ..., True""",
}
WRITE = {
    (5,): "1:3 =; ::-2 = 3; [0, 2, 0] = 3; [True, False, True, True, False] = 3; ... = 1; [[0, 1], [2, 3]] = 2",
    (3, 4): """1 = 4; :, 1 = 3; [2, 0], [1, 1] = 2; [2, 0], 1:3 = 2, 1; ::-1, [3, 0] = 3, 2; None, 2 = 1, 4;
        [[True, False, True, False], [False, True, False, False], [True, True, False, True]] = 6""",
    (2, 3, 4): """[1, 0], :, [0, 3] = 2, 3; :, [0, 2, 0] = 3, 1; 1, ..., ::2 = 3, 2; [[0], [1]], [0, 2] = 2, 2, 4;
        :, [True, False, True], [0, 3] = 2, 1; False = ; [1, 1, 1], :, 2 = 3, 3""",
}


def line(*parts):
    print(" | ".join(part if isinstance(part, str) else text(part) for part in parts))


def text(numbers):
    return " ".join(str(int(n)) for n in numbers)


def split(text):
    return [" ".join(part.split()) for part in text.split(";")]


for shape, expressions in READ.items():
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    for expression in split(expressions):
        result = np.asarray(eval(f"x[{expression}]"))
        line(shape, expression, result.shape, result.ravel())
for shape, expressions in WRITE.items():
    for expression in split(expressions):
        x = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        index, sizes = (part.strip() for part in expression.split("="))
        sizes = eval(f"({sizes},)" if sizes else "()")
        value = 100 + np.arange(np.prod(sizes, dtype=int)).reshape(sizes)
        exec(f"x[{index}] = value")
        line(shape, f"{index} = {text(sizes)}", x.ravel())

#!/usr/bin/env bash
# pytket 2.18.5 (PyPI): circuit_from_qasm_str reads the angle 1.e-05, a real number by the grammar of OpenQASM 2, as
# the formula 1*e - 5 with Euler's e, without an error: -2.28 instead of 0.00001. 1.0e-05 and 1e-05 are read right.
# Seen: angles of rz in radians, modulo 4 pi
#   1.e-05  10.28465
#   1.0e-05 0.00001
#   1e-05   0.00001
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pytket==2.18.5
"$folder/venv/bin/python" - >"$folder/seen" <<'PROGRAM'
from math import pi
from pytket.qasm import circuit_from_qasm_str
for number in ("1.e-05", "1.0e-05", "1e-05"):
    circuit = circuit_from_qasm_str(f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nrz({number}) q[0];\n')
    print(f"{number:7} {float(circuit.get_commands()[0].op.params[0]) * pi:.5f}")
PROGRAM
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
1.e-05  10.28465
1.0e-05 0.00001
1e-05   0.00001
SEEN

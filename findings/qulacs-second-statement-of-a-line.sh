#!/usr/bin/env bash
# qulacs 0.6.14 (PyPI): convert_QASM_to_qulacs_circuit takes a program as a list of lines and drops, without an error,
# every statement of a line but the first. A program that is right for other readers loses gates.
# Seen: gates read, and the state's index
#   x q[0]; x q[1]; on one line:  1 gate, basis state 1
#   the same on two lines:        2 gates, basis state 3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q qulacs==0.6.14
"$folder/venv/bin/python" - >"$folder/seen" <<'PROGRAM'
from qulacs import QuantumState
from qulacs.converter import convert_QASM_to_qulacs_circuit
for lines in (["x q[0]; x q[1];"], ["x q[0];", "x q[1];"]):
    circuit = convert_QASM_to_qulacs_circuit(['OPENQASM 2.0;', 'include "qelib1.inc";', 'qreg q[2];'] + lines)
    state = QuantumState(2)
    circuit.update_quantum_state(state)
    print(len(lines), circuit.get_gate_count(), abs(state.get_vector()).argmax())
PROGRAM
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
1 1 1
2 2 3
SEEN

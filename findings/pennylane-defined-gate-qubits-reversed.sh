#!/usr/bin/env bash
# PennyLane 0.45.1 with PennyLane-qiskit 0.45.0 and Qiskit 2.3.0 (PyPI): from_qasm applies a gate that the file itself
# defines with its qubits in reverse. `gate mine a,b { cx a,b; }` used as `mine q[0],q[1]` after `x q[0]` should give
# |11>; it gives |10>, as if q[1] were the control. Gates of the include are applied right.
# Seen: probabilities of |00> |01> |10> |11>
#   cx   0 0 0 1
#   mine 0 0 1 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pennylane==0.45.1 pennylane-qiskit==0.45.0 qiskit==2.3.0
"$folder/venv/bin/python" -W ignore - >"$folder/seen" <<'PROGRAM'
import pennylane as qml
for gate in ("cx", "mine"):
    program = f'OPENQASM 2.0;\ninclude "qelib1.inc";\ngate mine a,b {{ cx a,b; }}\nqreg q[2];\nx q[0];\n{gate} q[0],q[1];\n'
    circuit = qml.from_qasm(program, measurements=None)
    @qml.qnode(qml.device("default.qubit", wires=2))
    def probabilities():
        circuit(wires=[0, 1])
        return qml.probs(wires=[0, 1])
    print(f"{gate:4}", *(int(round(float(p))) for p in probabilities()))
PROGRAM
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
cx   0 0 0 1
mine 0 0 1 0
SEEN

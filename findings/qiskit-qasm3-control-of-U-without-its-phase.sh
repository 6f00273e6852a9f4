#!/usr/bin/env bash
# qiskit-qasm3-import 0.6.0 with Qiskit 2.6.2 (PyPI): in OpenQASM 3, U(theta, phi, lambda) has the factor
# exp(i theta/2) that version 2 lacks, and a control makes it a phase of the controlling qubit. So ctrl @ U(pi,0,pi)
# is not cx: |10> becomes i|11>. The importer makes of it a cu gate without that phase: |11>. (The same gate
# without a control differs by a global phase alone, which nobody sees.)
# Seen: the amplitude of |11> after x on the controlling qubit and ctrl @ U(pi,0,pi)
#   1+0j, where the specification says 0+1j
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q qiskit==2.6.2 qiskit-qasm3-import==0.6.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PROGRAM'
from qiskit import qasm3
from qiskit.quantum_info import Statevector
circuit = qasm3.loads('OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nx q[0];\nctrl @ U(pi, 0, pi) q[0], q[1];\n')
amplitude = Statevector(circuit).data[3]
print(f"{round(amplitude.real)}{round(amplitude.imag):+d}j")
PROGRAM
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
1+0j
SEEN

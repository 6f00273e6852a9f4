#!/usr/bin/env bash
# Qiskit 2.6.2 (PyPI): qasm2.loads refuses what qasm2.dumps wrote. dumps writes swap, crx, sx and p as gates of
# qelib1.inc, as Qiskit's file of that name has them; loads knows by default the include of the paper (arXiv
# 1707.03429) alone. QuantumCircuit.from_qasm_str, of the same package, reads it.
# Seen:
#   loads refuses swap
#   from_qasm_str reads swap crx sx p
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q qiskit==2.6.2
"$folder/venv/bin/python" - >"$folder/seen" <<'PROGRAM'
from qiskit import QuantumCircuit, qasm2
circuit = QuantumCircuit(2)
circuit.swap(0, 1)
circuit.crx(0.3, 0, 1)
circuit.sx(0)
circuit.p(0.3, 0)
text = qasm2.dumps(circuit)
try:
    qasm2.loads(text)
    print("loads reads it")
except qasm2.QASM2ParseError as error:
    print("loads refuses", str(error).split("'")[1])
print("from_qasm_str reads", *(step.operation.name for step in QuantumCircuit.from_qasm_str(text).data))
PROGRAM
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
loads refuses swap
from_qasm_str reads swap crx sx p
SEEN

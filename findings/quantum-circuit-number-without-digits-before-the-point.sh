#!/usr/bin/env bash
# quantum-circuit 0.9.250 (npm): importQASM reads the angle .3, a real number by the grammar of OpenQASM 2, as 3 and
# reports no error to its callback (a line about the point goes to stderr). 0.3 is read right.
# Seen: what the circuit holds, and the number of errors reported
#   .3 3 0
#   0.3 0.3 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent quantum-circuit@0.9.250 >/dev/null
cat >program.js <<'PROGRAM'
const QuantumCircuit = require("quantum-circuit");
for (const number of [".3", "0.3"]) {
  const circuit = new QuantumCircuit();
  let reported = -1;
  circuit.importQASM(`OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nrx(${number}) q[0];\n`,
    errors => { reported = errors.length; });
  console.log(number, circuit.gates[0][0].options.params.theta, reported);
}
PROGRAM
node program.js >seen 2>/dev/null
cat seen
diff seen - <<'SEEN'
.3 3 0
0.3 0.3 0
SEEN

#!/usr/bin/env bash
# qdk 1.33.1 (PyPI): angles of an OpenQASM 2 program are taken modulo 2 pi. A rotation by 2 pi is -1, which is a phase
# that nobody sees on one qubit but a sign under a control: after h on both qubits, crz(2*pi) and cu3(2*pi,0,0) must
# turn the two amplitudes with control 1 negative. Both leave them as they were.
# Seen: amplitudes of |00> |01> |10> |11>, of which the last two should be -0.5
#   crz 0.5 0.5 0.5 0.5
#   cu3 0.5 0.5 0.5 0.5
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q qdk==1.33.1
"$folder/venv/bin/python" - >"$folder/seen" <<'PROGRAM'
from qdk import qsharp
from qdk.openqasm import ProgramType, import_openqasm
for gate in ("crz(2*pi)", "cu3(2*pi,0,0)"):
    qsharp.init()
    import_openqasm(f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\nh q[0];\nh q[1];\n{gate} q[0],q[1];\n',
                    name="Circuit", program_type=ProgramType.Operation)
    qsharp.eval("operation Show() : Unit { use q = Qubit[2]; Circuit(q); Std.Diagnostics.DumpMachine(); ResetAll(q); }")
    state = qsharp.run("Show()", 1, save_events=True)[0]["events"][-1].state_dump().get_dict()
    print(gate[:3], *(f"{complex(state.get(k, 0)).real:.1f}" for k in range(4)))
PROGRAM
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
crz 0.5 0.5 0.5 0.5
cu3 0.5 0.5 0.5 0.5
SEEN

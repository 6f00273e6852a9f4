"""Compares verdicts on the files of safetensors_header_test.cpp with those of the format's own reader.

`make peers` runs it. The argument is the program of tests that holds that test. Exit code 1 when a verdict differs,
or when that test has made no files.
"""

import os
import subprocess
import sys
import tempfile

import safetensors

TEST = "Every file has the verdict of the format's own reader"


def takes(content):
    try:
        safetensors.deserialize(content)
        return True
    except safetensors.SafetensorError:
        return False


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "QISA_SAFETENSORS_FOLDER": folder}
        subprocess.run([program, TEST], env=environment, check=True, stdout=subprocess.DEVNULL)
        different = 0
        names = sorted(os.listdir(folder), key=lambda name: int(name.split("-")[1]))
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                content = file.read()
            if takes(content) != name.startswith("taken"):
                different += 1
                print(f"{name} here, otherwise there: {content[:300]!r}")
    print(f"safetensors {safetensors.__version__}: {len(names)} files, {different} verdicts differ")
    return 1 if different or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

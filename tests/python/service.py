"""A service under test: started here, on a free port of this machine, and stopped at the end."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("ONEFOLD_BINARY", ROOT / "target/debug/examples/testbed"))
CONFORMANCE = Path(os.environ.get("ONEFOLD_CONFORMANCE", ROOT / "target/debug/examples/conformance"))


@dataclass
class Service:
    """Where it is, and its data folder."""

    url: str
    data: Path
    log: Path

    def token(self, *, role: str = "administrator") -> str:
        """A token of nobody in particular."""
        return self.tell("token", "--role", role)

    def seed(self) -> str:
        """Fills the table with what the service's seeds make; answers the token of an administrator."""
        return self.tell("seed").splitlines()[-1]

    def tell(self, *arguments: str) -> str:
        command = [str(PROGRAM), *arguments, "--data", str(self.data)]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, cwd=ROOT).stdout.strip()


@contextmanager
def running(program: Path = PROGRAM) -> Iterator[Service]:
    """Starts a service with a data folder of its own."""
    with tempfile.TemporaryDirectory(prefix="onefold-test-") as folder:
        data, log = Path(folder, "data"), Path(folder, "log")
        with log.open("w") as output:
            command = [str(program), "--port", "0", "--data", str(data)]
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=ROOT)
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"answers at (http://[\d.:]+)", line):
                    yield Service(found[1], data, log)
                    return
            raise RuntimeError(f"{program} did not start:\n{''.join(said)}")
        finally:
            process.terminate()
            process.wait(timeout=30)

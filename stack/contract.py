"""stack: what is made of the contract in proto/, step by step; each step writes below the folder it is given."""

import ast
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
THIRD_PARTY = ROOT / "third_party"
VALIDATE_SOURCE = ROOT / "requirements" / "protovalidate-source.txt"
VALIDATE = "buf/validate/validate.proto"
GOOGLE_API = ("annotations.proto", "http.proto", "httpbody.proto")
GOOGLE_RPC = "google/rpc/error_details.proto"


def fetch_third_party(target: Path) -> None:
    """Copies the protos of others into target; downloads only what is not there yet or of another version."""
    stamp = target / ".source"
    if stamp.is_file() and stamp.read_text() == VALIDATE_SOURCE.read_text():
        return
    shutil.rmtree(target, ignore_errors=True)
    _unpack_validate(target / VALIDATE)
    google = Path(str(files("google") / "api"))
    (target / "google" / "api").mkdir(parents=True)
    for name in GOOGLE_API:
        shutil.copyfile(google / name, target / "google" / "api" / name)
    stamp.write_text(VALIDATE_SOURCE.read_text())


def _unpack_validate(target: Path) -> None:
    target.parent.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        # Its build backend only states the version and is installed here already: nothing else is downloaded.
        pip += ["--no-build-isolation", "--require-hashes", "--requirement", str(VALIDATE_SOURCE), "--dest", folder]
        subprocess.run(pip, check=True)
        archive = next(Path(folder).glob("*.tar.gz"))
        with tarfile.open(archive) as tar:
            member = next(m for m in tar.getmembers() if m.name.endswith(f"upstream/proto/{VALIDATE}"))
            source = tar.extractfile(member)
            if source is None:
                raise FileNotFoundError(VALIDATE)
            target.write_bytes(source.read())


def third_party_code(target: Path) -> None:
    """Writes the Python code of buf/validate, which ours imports and no wheel ships."""
    target.mkdir(parents=True, exist_ok=True)
    protoc([f"--python_out={target}", f"--mypy_out=quiet:{target}", VALIDATE])
    for package in ("buf", "buf/validate"):
        (target / package / "__init__.py").touch()


def server_code(target: Path) -> None:
    """Writes the classic protobuf and gRPC code of package chappe, with types."""
    target.mkdir(parents=True, exist_ok=True)
    outputs = [f"--python_out={target}", f"--grpc_python_out={target}"]
    protoc([*outputs, f"--mypy_out=quiet:{target}", f"--mypy_grpc_out=quiet,only_async:{target}", *contract_files()])
    for path in target.glob("chappe/v1/*_pb2_grpc.py*"):
        if "Servicer" in path.read_text():
            _let_methods_be_missing(path)
        else:
            path.unlink()
    (target / "chappe" / "__init__.py").write_text('"""Made from proto/chappe; never edited."""\n')
    (target / "chappe" / "v1" / "__init__.py").write_text('"""Made from proto/chappe/v1; never edited."""\n')


def _let_methods_be_missing(path: Path) -> None:
    """Takes `abstract` out of the types: at run time a method that is not written answers UNIMPLEMENTED."""
    words = ("    @_abc_1.abstractmethod\n", "(metaclass=_abc_1.ABCMeta)", "import abc as _abc_1\n")
    text = path.read_text()
    for word in words:
        text = text.replace(word, "")
    path.write_text(text)


def descriptor_set(target: Path, *, comments: bool = False) -> None:
    """Writes all descriptors, imports and error details included; Envoy transcodes by them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = ["--include_source_info"] if comments else []
    protoc([f"--descriptor_set_out={target}", "--include_imports", *flags, *contract_files(), GOOGLE_RPC])


def client_messages(target: Path) -> None:
    """Writes the client's betterproto2 messages."""
    target.mkdir(parents=True, exist_ok=True)
    output = [f"--python_betterproto2_out={target}", "--python_betterproto2_opt=client_generation=none"]
    protoc([*output, *contract_files()])
    # The rules are the server's business; no message refers to them.
    shutil.rmtree(target / "buf")
    (target / "__init__.py").write_text('"""Made from proto/; never edited."""\n')
    for path in sorted((target / "google").rglob("*.py")):
        _leave_words_out(path)


def _leave_words_out(path: Path) -> None:
    """Takes others' comments out of the code made of their contracts: names we may use, words are theirs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.Module):
            said = [each for each in node.body if not _is_text(each)]
            node.body = said or [ast.Pass()]
    path.write_text(ast.unparse(tree) + "\n", encoding="utf-8")


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def contract_files() -> list[str]:
    """Lists our own protos relative to their root, sorted."""
    return sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))


def protoc(arguments: Sequence[str]) -> None:
    """Runs the compiler with every root and the environment's own plugins."""
    well_known = files("grpc_tools") / "_proto"
    google = Path(str(files("google") / "api")).parent.parent
    roots = [f"--proto_path={root}" for root in (PROTO, THIRD_PARTY, well_known, google)]
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [sys.executable, "-m", "grpc_tools.protoc", *roots, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"protoc failed:\n{result.stderr}")

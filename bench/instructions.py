"""AVX2 against AVX2 on a machine that has AVX-512: runs a command with every library held to AVX2.

    python -m bench.instructions python -m pytest bench/test_systems.py --benchmark-only --benchmark-json=avx2.json

Without a command it prints the variables, as lines for a shell. Each library reads its own, when it starts.
"""

import os
import sys
import tempfile

AVX2 = {
    # Numba, and so fastnn: code for a processor of the last generation of AMD without AVX-512. Its name is part of the
    # cache's keys; no features are added to those of that processor.
    "NUMBA_CPU_NAME": "znver3",
    "NUMBA_CPU_FEATURES": "",
    # PyTorch's own kernels, and the loops that torch.compile writes.
    "ATEN_CPU_CAPABILITY": "avx2",
    # What torch.compile wrote is kept on disk, and the name says nothing of the instructions: with what was compiled
    # for AVX-512 a network's losses are NaN here.
    "TORCHINDUCTOR_CACHE_DIR": os.path.join(tempfile.gettempdir(), "torchinductor_avx2"),
    # Convolutions of PyTorch, convolutions and products of TensorFlow.
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # PyTorch's products, by MKL. It is documented for Intel's processors; on others MKL chooses by itself.
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    # NumPy's products, and so scikit-learn's.
    "OPENBLAS_CORETYPE": "Haswell",
    # Code that XLA compiles, for JAX and for Keras with XLA. Libraries that it calls for large products and
    # convolutions are as they were built.
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}


def held(environment: dict[str, str]) -> dict[str, str]:
    """The environment with these variables; flags for XLA are added to those that are set."""
    flags = f"{environment.get('XLA_FLAGS', '')} {AVX2['XLA_FLAGS']}".strip()
    return environment | AVX2 | {"XLA_FLAGS": flags}


def main() -> None:
    if command := sys.argv[1:]:
        os.execvpe(command[0], command, held(dict(os.environ)))
    print("\n".join(f"export {name}={value}" for name, value in AVX2.items()))


if __name__ == "__main__":
    main()

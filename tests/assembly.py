"""The assembly of emitted code, for this or another processor."""

import re

import llvmlite.binding as llvm
from llvmlite import ir

# (triple, processor, its vector registers, how many of them make a line)
PROCESSORS = [
    ("aarch64-unknown-linux-gnu", "neoverse-n1", "neon", 4),
    ("x86_64-unknown-linux-gnu", "haswell", "ymm", 2),
    ("x86_64-unknown-linux-gnu", "znver3", "ymm", 2),
    ("x86_64-unknown-linux-gnu", "skylake-avx512", "zmm", 1),
]


def assembly(emit, kinds, triple: str, processor: str) -> str:
    """Assembly of a function with parameters of these types, whose body `emit(builder, arguments)` writes."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), kinds), "emitted")
    builder = ir.IRBuilder(function.append_basic_block())
    emit(builder, function.args)
    builder.ret_void()
    text = str(function.module).replace('target triple = "unknown-unknown-unknown"', f'target triple = "{triple}"')
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=processor, opt=3)
    module = llvm.parse_assembly(text)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(module, passes)
    return machine.emit_assembly(module)


def busiest_block(text: str) -> str:
    """The block with the most fused multiply-adds: the inner loop."""
    return max(re.split(r"\n\.LBB\d+_\d+:|%bb\.\d+:", text), key=lambda block: len(multiply_adds(block)))


def multiply_adds(text: str) -> list[str]:
    return re.findall(r"fmla|vfmadd", text)


def spills(text: str) -> bool:
    """Whether a vector register is kept on the stack."""
    return any(re.search(r"%[xyz]mm|\bq\d+", line) and re.search(r"\[sp|\(%rsp", line) for line in text.splitlines())

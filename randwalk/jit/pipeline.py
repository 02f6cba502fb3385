"""How a kernel's text becomes that of LLVM: those steps of Numba's compiler that kernels need, once each.

Numba makes 27 steps, most of which look for what kernels do not have (closures, generators, ``with``, parallel loops), and
examines every variable of a function after each. Kernels have the same machine code without those, in two thirds of the time.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from numba.core import (
    analysis,
    cgutils,
    compiler,
    errors,
    ir_utils,
    lowering,
    postproc,
    rewrites,
    ssa,
    targetconfig,
    transforms,
    typed_passes,
    typeinfer,
    types,
    untyped_passes,
)

flags_of_numba: Any = compiler.Flags
steps: Any = compiler.CompilerBase
inferer: Any = typeinfer.TypeInferer
lower: Any = lowering.Lower
native: Any = typed_passes.NativeLowering
stack: Any = targetconfig.ConfigStack
processor: Any = postproc.PostProcessor
numba_errors: Any = errors
definitions: Any = ir_utils.build_definitions
made_known: Any = analysis.rewrite_semantic_constants
pruned: Any = analysis.dead_branch_prune
canonical: Any = transforms.canonicalize_cfg
numba_rewrites: Any = rewrites
assigned_once: Any = ssa.reconstruct_ssa
allocated: Any = cgutils.alloca_once
functions: Any = types.Function

TRANSLATE: Any = untyped_passes.TranslateByteCode()  # type: ignore[no-untyped-call]
STRIP: Any = typed_passes.PreLowerStripPhis()  # type: ignore[no-untyped-call]
FINISH: Any = typed_passes.NoPythonBackend()  # type: ignore[no-untyped-call]


class Flags(flags_of_numba):  # type: ignore[misc]
    """Flags that cannot be changed. For every operation Numba asks whether those of two functions are the same; all of its own
    have one hash, and are compared one by one."""

    def __init__(self, copied: Any) -> None:
        super().__init__(copied)
        self._values: Any = MappingProxyType(self._values)
        self._told = tuple(sorted((name, repr(value)) for name, value in self._values.items()))
        self._hash = hash(self._told)

    def copy(self) -> Any:
        """Flags of Numba, which can be changed."""
        return flags_of_numba(self)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Flags) and self._told == other._told)

    def __hash__(self) -> int:
        return self._hash


def flags(target: Any, options: dict[str, Any]) -> Flags:
    """Those of a function that is compiled where it is called."""
    made = flags_of_numba()
    target.options.parse_as_flags(made, options)
    made.no_compile = True
    return Flags(made)


class _Inferer(inferer):  # type: ignore[misc]
    """Tells the types of a call of one of Numba's own functions as it was told before: to find it among dozens of templates, once
    for each operation of a text, took a quarter of the time to compile a kernel."""

    known: ClassVar[dict[Any, Any]] = {}  # by the numbers of types, which Numba gives once

    def resolve_call(self, function: Any, given: Any, named: Any) -> Any:
        if type(function) is not functions or named:
            return super().resolve_call(function, given, named)
        key = function._code, *[kind._code for kind in given], stack().top()
        if key in self.known:
            return self.known[key]
        found = super().resolve_call(function, given, named)
        if found is not None:
            self.known[key] = found
        return found


class _Lower(lower):  # type: ignore[misc]
    def alloca_lltype(self, name: str, kind: Any, datamodel: Any = None) -> Any:
        """Room for a variable. Numba asks LLVM for its size, by a text of its own, for debuggers."""
        return allocated(self.builder, kind, name=name, zfill=False)


class _Lowering(native):  # type: ignore[misc]
    lowering_class = _Lower


LOWER: Any = _Lowering()


class Pipeline(steps):  # type: ignore[misc]
    """A compiler of functions without what :func:`_translated` leaves out."""

    def _compile_core(self) -> Any:
        state = self.state
        with stack().enter(Flags(state.flags)):
            _translated(state)
            _typed(state)
            LOWER.run_pass(state)
            FINISH.run_pass(state)
        state.pipeline = None
        return state.cr


def _translated(state: Any) -> None:
    """The text as Numba's instructions, each variable of which is assigned once, without branches that are never taken."""
    TRANSLATE.run_pass(state)
    text = state.func_ir
    made_known(text, state.args)
    pruned(text, state.args)
    text.blocks = canonical(text.blocks)
    numba_rewrites.rewrite_registry.apply("before-inference", state)
    text = state.func_ir = assigned_once(text)
    text._definitions = definitions(text.blocks)


def _typed(state: Any) -> None:
    """The types of all variables and calls; then the places where references end, if they are counted."""
    text, context, warnings = state.func_ir, state.typingctx, numba_errors.WarningsFixer(errors.NumbaWarning)
    found = _Inferer(context, text, warnings)
    with context.callstack.register(state.targetctx.target, found, text.func_id, state.args), warnings:
        for index, (name, kind) in enumerate(zip(text.arg_names, state.args, strict=True)):
            found.seed_argument(name, index, kind)
        found.build_constraint()
        found.propagate()
        state.typemap, state.return_type, state.calltypes = found.unify()
    text = state.func_ir = STRIP._strip_phi_nodes(text)
    text._definitions = definitions(text.blocks)
    if state.flags.nrt:
        processor(text).run(True)

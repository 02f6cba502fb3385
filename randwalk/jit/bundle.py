"""Named tuples of arrays that kernels take by one pointer.

Numba hands on every number of every array: a function of twenty arrays has more than a hundred arguments, and packing and
unpacking them was three quarters of the text that LLVM was given for a walk in a double well.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import imputils
from numba.core.typing import templates
from numba.extending import NativeValue, models, register_model, unbox

attribute: Any = templates.AttributeTemplate
infer: Any = templates.infer_getattr
type_of: Any = numba.typeof
implement: Any = imputils.lower_getattr_generic
borrowed: Any = imputils.impl_ret_borrowed
unboxer: Any = unbox
native: Any = NativeValue
POINTER = ir.IntType(8).as_pointer()


class Pointer(types.Type):
    """To what Numba makes of a named tuple `whole`."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole  # its name, which tells all types, would stand in every line of a kernel's text
        super().__init__(name=f"bundle_{hashlib.sha256(str(whole).encode()).hexdigest()[:16]}")


_known: dict[Any, Pointer] = {}  # by the forms of named tuples: Numba takes ten times as long to tell their types


class Bundle:
    """A named tuple as kernels take it. Its fields are read as those of the tuple are.

    Parameters
    ----------
    whole : NamedTuple
        Of arrays of numbers, or of tuples of such arrays; they live as long as this.
    """

    def __init__(self, whole: Any) -> None:
        self.whole, told = whole, list[int]()
        form = _described(whole, told)
        if form not in _known:
            _known[form] = Pointer(type_of(whole))
        self._numba_type_ = _known[form]
        self._told = np.array(told, np.int64)
        self.address = self._told.__array_interface__["data"][0]


def _described(value: Any, told: list[int]) -> Any:
    """The form of arrays, which tells their types; what Numba keeps of them is `told`, in its order: what counts the references
    (here nothing) and the owner, the numbers of elements and of bytes of one, where they are, the shape and the strides."""
    if isinstance(value, tuple):
        return type(value), *[_described(field, told) for field in value]
    told += 0, 0, value.size, value.itemsize, value.__array_interface__["data"][0], *value.shape, *value.strides
    return value.dtype.str, value.ndim, value.flags.num


@register_model(Pointer)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, POINTER)  # type: ignore[no-untyped-call]


@unboxer(Pointer)
def _unboxed(kind: Any, value: Any, c: Any) -> Any:
    number = c.pyapi.object_getattr_string(value, "address")
    address = c.pyapi.long_as_voidptr(number)
    c.pyapi.decref(number)
    return native(address)


@infer
class _Field(attribute):  # type: ignore[misc]
    key = Pointer

    def generic_resolve(self, kind: Any, name: str) -> Any:
        return kind.whole[kind.whole.fields.index(name)] if name in kind.whole.fields else None


@implement(Pointer)
def _field(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    place, form = kind.whole.fields.index(name), context.get_value_type(kind.whole)
    pointer = builder.bitcast(value, form.as_pointer())
    there = builder.gep(pointer, [ir.Constant(ir.IntType(32), i) for i in (0, place)], inbounds=True)
    return borrowed(context, builder, kind.whole[place], builder.load(there))
